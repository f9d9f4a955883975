"""Distillation: the model learns what a teacher would say next, beside or instead of the labels.

The loss is alpha × temperature² × divergence + (1 - alpha) × NLL, each the weighted mean over the trained tokens. The teacher's
tokens are those of the rows; nothing is generated.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dadeum.config.purpose import Takes
from dadeum.core.settings import MemberSettings, setting
from dadeum.model.heads import Gives
from dadeum.train.context import Context, OtherModel
from dadeum.train.objectives import _teacher
from dadeum.train.objectives.sft import collate

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dadeum.train.loop import Loop

__all__ = ["Settings", "collate", "compute", "needs", "prepare", "takes", "weigh"]

takes: Takes | None = "messages"
needs: Gives = "tokens"


class Settings(MemberSettings):
    """The teacher, and how it is compared with."""

    type: Literal["distillation"] = "distillation"
    teacher_model_name_or_path: str = setting(
        ...,
        "Hub id or folder of the teacher: a whole model with the same tokenizer.",
        "교사 모델의 Hub 이름 또는 폴더. 토크나이저가 같은 온전한 모델이어야 합니다.",
        min_length=1,
    )
    teacher_model_revision: str = setting(
        "main", "Branch, tag or commit of a teacher from the Hub.", "Hub 교사 모델의 브랜치, 태그 또는 커밋."
    )
    teacher_dtype: Literal["auto", "float32", "bfloat16", "float16"] = setting(
        "auto",
        "Type that the teacher is held in and computes in; `auto`: float32 on a CPU, else bfloat16.",
        "교사 모델을 두고 계산하는 자료형. `auto`: CPU는 float32, 그 밖에는 bfloat16.",
    )
    teacher_trust_remote_code: bool = setting(
        False,
        "Run Python code that the teacher brings. Only for authors that you trust.",
        "교사 모델에 딸린 파이썬 코드를 실행합니다. 믿는 제작자에게만 쓰세요.",
    )
    divergence: Literal["forward_kl", "reverse_kl", "jensen_shannon"] = setting(
        "forward_kl",
        "What is made small: KL(teacher ‖ model), KL(model ‖ teacher), or what lies between them.",
        "줄일 것: KL(교사 ‖ 모델), KL(모델 ‖ 교사), 또는 그 사이.",
    )
    beta: float = setting(
        0.5,
        "The teacher's share in the mixture of `jensen_shannon`, as in TRL's GKD.",
        "`jensen_shannon`의 혼합에서 교사 모델의 몫. TRL의 GKD와 같습니다.",
        gt=0,
        lt=1,
    )
    temperature: float = setting(
        1.0,
        "Both logits are divided by it; the divergence is multiplied by its square, as by Hinton.",
        "두 모델의 로짓을 나누는 온도. 발산에는 Hinton처럼 온도의 제곱을 곱합니다.",
        gt=0,
    )
    alpha: float = setting(
        0.5,
        "The teacher's share in the loss; the rest is the labels' own loss.",
        "손실에서 교사 모델의 몫. 나머지는 정답의 손실입니다.",
        gt=0,
        le=1,
    )
    store_top_k: int | None = setting(
        None,
        "Ask the teacher once before training, and keep so many of its most likely tokens with the checkpoints (8 bytes for each, for "
        "each trained token): it needs no memory while the model is trained. All other tokens count as one outcome.",
        "학습 전에 교사 모델에 한 번만 묻고 확률이 높은 토큰 이만큼을 체크포인트와 함께 저장합니다(학습 토큰마다 하나에 8바이트). "
        "학습 중에는 교사 모델이 메모리를 쓰지 않습니다. 나머지 토큰은 하나로 셉니다.",
        gt=0,
    )


def teacher(settings: Settings) -> OtherModel:
    """The second model that a training needs."""
    return OtherModel(settings.teacher_model_name_or_path, settings.teacher_model_revision)


def pinned(settings: Settings, commit: str) -> Settings:
    """The settings with the commit that the revision stands for."""
    return settings.model_copy(update={"teacher_model_revision": commit})


def fits(settings: Settings, tokenizer: Any, place: Path) -> None:
    """Raises ModelError where the teacher in `place` does not go with the model's tokenizer. Reads no weights."""
    _teacher.refuse_place(place)
    _teacher.refuse_vocabulary(tokenizer, place)


def prepare(settings: Settings, loop: "Loop") -> "_teacher.Asked | _teacher.Stored":
    """The teacher, or what it said."""
    trusted, k = settings.teacher_trust_remote_code, settings.store_top_k
    return _teacher.prepare(_teacher.Wanted(settings.teacher_dtype, trusted, settings.temperature, k), loop)


def weigh(settings: Settings, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
    """Two terms over the same tokens; where alpha is 1, one."""
    weight = float(batch["weights"].double().sum())
    terms = {"divergence": (weight, settings.alpha), "nll": (weight, 1 - settings.alpha)}
    return {name: term for name, term in terms.items() if term[1]}


def compute(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
    """The weighted sums of both, in fp32; both are shown."""
    import torch

    from dadeum.model.divergence import Measure, losses
    from dadeum.model.nll import token_logits

    teaching = context.prepared.teaching(batch)
    said = token_logits(model, batch)
    measure = Measure(settings.divergence, settings.beta, settings.temperature)
    nll, apart = losses(said.logits, said.targets, teaching, measure)
    sums = {"divergence": (apart * said.weights).sum(), "nll": (nll * said.weights).sum()}
    weight = said.weights.sum()
    shown = {name: torch.stack([value.detach(), weight]) for name, value in sums.items()}
    return {name: value for name, value in sums.items() if settings.alpha < 1 or name == "divergence"}, shown
