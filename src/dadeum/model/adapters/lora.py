"""`lora`: low-rank matrices beside the frozen linear layers (Hu et al. 2021, arXiv 2106.09685), through PEFT."""

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.settings import Many, MemberSettings, setting

if TYPE_CHECKING:
    from torch import nn

mergeable = True
freezes_base = True


class Settings(MemberSettings):
    """LoRA; the names are PEFT's."""

    type: Literal["lora"] = "lora"
    r: int = setting(16, "Rank of the matrices.", "행렬의 랭크.", gt=0)
    lora_alpha: float = setting(
        32, "The update is scaled by `lora_alpha / r`.", "변화량을 `lora_alpha / r`배 합니다.", gt=0
    )
    lora_dropout: float = setting(0.0, "Dropout before the matrices.", "행렬 앞의 드롭아웃.", ge=0, lt=1)
    target_modules: str | Many[str] = setting(
        "all-linear",
        "Names of the layers that get matrices, a regular expression, or `all-linear`: all but the output layer.",
        "행렬을 붙일 층의 이름들, 정규식, 또는 출력층을 뺀 모든 선형층 `all-linear`.",
        min_length=1,
    )
    use_rslora: bool = setting(
        False, "Scale by `lora_alpha / sqrt(r)` instead.", "대신 `lora_alpha / sqrt(r)`배 합니다."
    )


def linear_names(model: "nn.Module") -> list[str]:
    """Last names of the modules that PEFT can put matrices beside, sorted, without the output layer."""
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    getter = getattr(model, "get_output_embeddings", None)
    output = getter() if callable(getter) else None
    outside = re.compile(_outside(model) or "$.")
    return sorted(
        {
            name.rsplit(".", 1)[-1]
            for name, module in model.named_modules()
            if isinstance(module, nn.Linear | Conv1D) and module is not output and not outside.fullmatch(name)
        }
    )


def _outside(model: Any) -> str:
    """An expression for the layers that no matrix can stand beside: routers, and all that text does not pass through."""
    from dadeum.model.towers import towers

    routers = [re.escape(name) for name, module in model.named_modules() if not _gives_a_product(module)]
    return "|".join([*routers, *(rf"{re.escape(name)}(\..*)?" for name in towers(model))])


def _gives_a_product(layer: Any) -> bool:
    """Whether a linear layer gives one tensor of its width. Routers of Llama 4 and Phi-MoE are linear by class alone."""
    import torch
    from torch import nn

    if not isinstance(layer, nn.Linear) or type(layer).forward is nn.Linear.forward:
        return True
    if not layer.weight.is_floating_point():  # a quantised layer, made of a plain one
        return True
    try:
        with torch.no_grad():
            out = layer(layer.weight.new_zeros(1, layer.in_features))
    except Exception:  # whatever it wants, it is no matrix that another one can stand beside
        return False
    return isinstance(out, torch.Tensor) and out.shape == (1, layer.out_features)


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """A PEFT model: only the low-rank matrices are trainable. Raises ModelError listing the layers that there are."""
    from peft import LoraConfig, get_peft_model
    from transformers.pytorch_utils import Conv1D

    from dadeum.model.configuration import first_line
    from dadeum.model.new_rows import token_indices

    targets = settings.target_modules
    known = linear_names(model)
    outside = _outside(model)
    if not isinstance(targets, str):
        names = [name for name, _ in model.named_modules() if not (outside and re.fullmatch(outside, name))]
        unknown = [target for target in targets if not any(_meets(target, name) for name in names)]
        if unknown:
            raise _misfit(", ".join(unknown), known)
    _refuse_tied(targets, model)
    conv = any(isinstance(module, Conv1D) for module in model.modules())
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        use_rslora=settings.use_rslora,
        fan_in_fan_out=conv,
        exclude_modules=outside or None,
        trainable_token_indices=token_indices(model, new_tokens),
    )
    try:
        with warnings.catch_warnings():
            # PEFT asks transformers by a name that the latter gave up.
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
            adapted: nn.Module = get_peft_model(model, config)
    except (ValueError, TypeError, RuntimeError, re.error) as error:
        shown = targets if isinstance(targets, str) else ", ".join(targets)
        raise _misfit(shown, known, first_line(error)) from error
    return adapted


def _refuse_tied(targets: str | tuple[str, ...], model: Any) -> None:
    """Matrices on one of two tied layers would, once merged, be in both."""
    inside, outside = model.get_input_embeddings(), model.get_output_embeddings()
    if targets == "all-linear" or outside is None or inside.weight is not outside.weight:
        return
    for name, module in model.named_modules():
        if (module is inside or module is outside) and _hits(targets, name):
            raise ModelError(
                say(
                    f"adapter.target_modules: found '{name}', whose weights are also those of another layer here (tied "
                    "embeddings); leave it out",
                    f"adapter.target_modules: '{name}'은(는) 다른 층과 가중치를 함께 씁니다(묶인 임베딩). 빼세요",
                )
            )


def _hits(targets: str | tuple[str, ...], name: str) -> bool:
    if isinstance(targets, str):
        return re.fullmatch(targets, name) is not None
    return any(_meets(target, name) for target in targets)


def _meets(target: str, name: str) -> bool:
    return name == target or name.endswith("." + target)


def _misfit(found: str, known: list[str], reason: str = "") -> ModelError:
    listed, why = ", ".join(known), f" ({reason})" if reason else ""
    cure, korean = ("name some of them", "이 가운데서 고르세요")
    if found != "all-linear":
        cure, korean = (f"{cure}, or use 'all-linear'", "이 가운데서 고르거나 'all-linear'를 쓰세요")
    return ModelError(
        say(
            f"adapter.target_modules: found '{found}', which this model cannot take{why}; its linear layers are: {listed}; {cure}",
            f"adapter.target_modules: '{found}'은(는) 이 모델에 쓸 수 없습니다{why}. 선형층: {listed}. {korean}",
        )
    )
