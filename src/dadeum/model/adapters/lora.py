"""`lora`: low-rank matrices beside the frozen linear layers (Hu et al. 2021, arXiv 2106.09685), through PEFT.

Its variants are settings: rsLoRA, DoRA, LoRA+, and first values by PiSSA, OLoRA, EVA, LoftQ, gaussian or orthogonal.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.settings import Many, setting
from dadeum.model.adapters import Beside, Start, together
from dadeum.model.adapters._settings import Layered
from dadeum.model.adapters._targets import linear_names

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "Settings",
    "apply",
    "initialise",
    "learning_rates",
    "linear_names",
    "mergeable",
    "reads_weights",
    "refuse",
    "resumed",
]
freezes_base = True
FIRST_VALUES = ("gaussian", "pissa", "olora", "eva", "loftq", "orthogonal")
Positive = Annotated[int, Field(gt=0)]
Amount = Annotated[float, Field(gt=0)]


class Settings(Layered):
    """LoRA; the names are PEFT's."""

    type: Literal["lora"] = "lora"
    r: int = setting(16, "Rank of the matrices.", "행렬의 랭크.", gt=0)
    lora_alpha: float = setting(
        32, "The update is scaled by `lora_alpha / r`.", "변화량을 `lora_alpha / r`배 합니다.", gt=0
    )
    lora_dropout: float = setting(0.0, "Dropout before the matrices.", "행렬 앞의 드롭아웃.", ge=0, lt=1)
    exclude_modules: str | Many[str] | None = setting(
        None,
        "Names of layers that get none after all, or a regular expression.",
        "붙이지 않을 층의 이름들 또는 정규식.",
        min_length=1,
    )
    target_parameters: Many[str] | None = setting(
        None,
        "Names of parameters that get matrices: experts that are one tensor, such as `mlp.experts.gate_up_proj`.",
        "행렬을 붙일 파라미터의 이름들. `mlp.experts.gate_up_proj`처럼 한 텐서인 전문가(MoE)에 씁니다.",
        min_length=1,
    )
    rank_pattern: dict[str, Positive] = setting(
        {},
        "Layers with a rank of their own: name or expression, and rank.",
        "랭크가 따로인 층: 이름이나 정규식과 랭크.",
    )
    alpha_pattern: dict[str, Amount] = setting(
        {},
        "Layers with a `lora_alpha` of their own: name or expression, and value.",
        "`lora_alpha`가 따로인 층: 이름이나 정규식과 값.",
    )
    bias: Literal["none", "all", "lora_only"] = setting(
        "none",
        "Biases of the base that are trained as well; they are saved with the adapter.",
        "함께 학습할 기본 모델의 편향. 어댑터와 함께 저장됩니다.",
    )
    use_rslora: bool = setting(
        False, "Scale by `lora_alpha / sqrt(r)` instead.", "대신 `lora_alpha / sqrt(r)`배 합니다."
    )
    use_dora: bool = setting(
        False,
        "DoRA: direction and magnitude of each weight are learnt apart; slower.",
        "DoRA: 가중치의 방향과 크기를 따로 학습합니다. 더 느립니다.",
    )
    init_lora_weights: bool | str = setting(
        True,
        "First values: `true` (the update is zero), `gaussian`, `orthogonal`, `pissa`, `pissa_niter_N` or `olora` (from the "
        "weights), `eva` (from training rows), `loftq` (makes up for 4-bit rounding), `false` (all random).",
        "초깃값: `true`(변화량 0), `gaussian`, `orthogonal`, `pissa`, `pissa_niter_N`, `olora`(가중치에서), "
        "`eva`(학습 행에서), `loftq`(4비트 반올림을 메움), `false`(모두 무작위).",
    )
    eva_rho: float = setting(
        2.0,
        "With `eva`: a layer's rank may grow to `eva_rho × r`, at the cost of others; 1: all ranks stay.",
        "`eva`일 때: 다른 층의 몫을 받아 랭크가 `eva_rho × r`까지 커질 수 있습니다. 1이면 그대로입니다.",
        ge=1,
    )
    loraplus_lr_ratio: float | None = setting(
        None,
        "LoRA+: the matrices B, which begin at zero, learn by so many times the learning rate, such as 16.",
        "LoRA+: 0에서 시작하는 행렬 B의 학습률 배수. 예: 16.",
        gt=0,
    )

    @model_validator(mode="after")
    def _known_first_values(self) -> "Settings":
        init = self.init_lora_weights
        if isinstance(init, str) and init not in FIRST_VALUES and not re.fullmatch(r"pissa_niter_[1-9]\d*", init):
            known = ("true", "false", *FIRST_VALUES, "pissa_niter_4")
            near, listed = hint(nearest(init, known)), ", ".join(known)
            raise ValueError(
                say(
                    f"init_lora_weights: found '{init}', expected one of: {listed}{near}",
                    f"init_lora_weights: '{init}'은(는) 없습니다. 쓸 수 있는 값: {listed}{near}",
                )
            )
        odd = [rank for rank in (self.r, *self.rank_pattern.values()) if rank % 2]
        if init == "orthogonal" and odd:
            raise _pair(
                "init_lora_weights: orthogonal", f"r: {odd[0]}", "its ranks must be even", "랭크가 짝수여야 합니다"
            )
        return self

    @model_validator(mode="after")
    def _parameters_take_plain_lora(self) -> "Settings":
        if self.target_parameters is None:
            if self.target_modules is None:
                raise ValueError(
                    say(
                        "target_modules: found null without 'target_parameters', expected names or 'all-linear'",
                        "target_modules: 'target_parameters'가 없으면 이름이나 'all-linear'를 써야 합니다",
                    )
                )
            return self
        init = self.init_lora_weights
        for unfit, what in (
            (self.use_dora, "use_dora: true"),
            (self.lora_dropout > 0, f"lora_dropout: {self.lora_dropout}"),
            (isinstance(init, str) and init != "gaussian", f"init_lora_weights: {init}"),
        ):
            if unfit:
                raise _pair("target_parameters", what, "leave one of them out", "하나를 빼세요")
        return self


def _pair(one: str, other: str, english: str, korean: str) -> ValueError:
    return ValueError(
        say(
            f"{one}: found beside '{other}', which cannot go together; {english}",
            f"{one}: '{other}'와 함께 쓸 수 없습니다. {korean}",
        )
    )


def mergeable(settings: Settings) -> bool:
    """Yes, but for LoftQ, whose matrices also hold what the 4-bit base lacks and a whole base has."""
    return settings.init_lora_weights != "loftq"


def reads_weights(settings: Settings) -> bool:
    """PiSSA and OLoRA do: their factors are the same then, whatever type the base is held in."""
    from dadeum.model.adapters._first_values import taken_from_weights

    return taken_from_weights(settings.init_lora_weights)


def refuse(settings: Settings, beside: Beside) -> None:
    """First values that are taken out of the weights want weights that can be changed; LoftQ wants rounded ones."""
    init = str(settings.init_lora_weights)
    key = "adapter.init_lora_weights"
    if init.startswith(("pissa", "olora", "orthogonal")) and beside.bits:
        raise together(
            key,
            init,
            "model.quantization",
            f"{beside.bits} bits",
            "leave the quantization out, or use true",
            "양자화를 빼거나 true를 쓰세요",
        )
    if init == "loftq" and beside.bits != 4:
        raise together(
            key,
            init,
            "model.quantization",
            f"{beside.bits} bits" if beside.bits else "null",
            "set model.quantization to 4 bits",
            "model.quantization을 4비트로 하세요",
        )


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """A PEFT model: only the low-rank matrices are trainable. Raises ModelError listing the layers that there are."""
    from dadeum.model.adapters._first_values import remember
    from dadeum.model.adapters._through_peft import wrap

    init = settings.init_lora_weights
    _refuse_transposed(init, model)
    values = {
        **settings.layered(),
        "r": settings.r,
        "lora_alpha": settings.lora_alpha,
        "lora_dropout": settings.lora_dropout,
        "exclude_modules": settings.exclude_modules,
        "target_parameters": settings.target_parameters,
        "rank_pattern": dict(settings.rank_pattern),
        "alpha_pattern": dict(settings.alpha_pattern),
        "bias": settings.bias,
        "use_rslora": settings.use_rslora,
        "use_dora": settings.use_dora,
        # What is made of weights or rows has its first values later; on the meta device there are none at all.
        "init_lora_weights": True if init == "loftq" or next(model.parameters()).is_meta else init,
    }
    if values["init_lora_weights"] == "eva":
        from peft import EvaConfig

        values["eva_config"] = EvaConfig(rho=settings.eva_rho)
    adapted = wrap("LORA", model, values, new_tokens)
    remember(adapted)
    return adapted


def _refuse_transposed(init: bool | str, model: "nn.Module") -> None:
    """PEFT takes OLoRA's factors of weights as they lie, and GPT-2's lie the other way round."""
    from transformers.pytorch_utils import Conv1D

    if init == "olora" and any(isinstance(module, Conv1D) for module in model.modules()):
        kind = model.config.model_type  # type: ignore[union-attr]
        raise together(
            "adapter.init_lora_weights",
            "olora",
            "model",
            f"{kind} (Conv1D layers)",
            "take 'pissa' or true",
            "'pissa'나 true를 쓰세요",
        )


def resumed(settings: Settings, saved: Mapping[str, Any]) -> Settings:
    """EVA gave layers ranks of their own, and left some out."""
    if settings.init_lora_weights != "eva":
        return settings
    keys = ("rank_pattern", "alpha_pattern", "target_modules")
    found = {key: saved[key] for key in keys}
    return settings.model_copy(update=found)


def initialise(settings: Settings, model: "nn.Module", start: Start) -> None:
    """EVA looks at training rows, LoftQ at the base as it is stored."""
    from dadeum.model.adapters import _first_values

    if settings.init_lora_weights == "eva":
        _first_values.eva(model, start, settings.r * settings.eva_rho)
    if settings.init_lora_weights == "loftq":
        _first_values.loftq(model, start)


def learning_rates(settings: Settings, model: "nn.Module") -> "Iterator[tuple[nn.Parameter, float]]":
    """LoRA+ (Hayou et al. 2024, arXiv 2402.12354): B, and vectors, learn faster."""
    if settings.loraplus_lr_ratio is not None:
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and ("lora_B" in name or parameter.ndim == 1):
                yield parameter, settings.loraplus_lr_ratio
