"""`vera`: one random pair of matrices for all layers, of which each learns only scales (Kopiczko et al. 2023, arXiv 2310.11454)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from dadeum.core.settings import setting
from dadeum.model.adapters._settings import Layered

if TYPE_CHECKING:
    from torch import nn

freezes_base = True


class Settings(Layered):
    """VeRA; the names are PEFT's. The shared matrices are saved, so that they are the same everywhere."""

    type: Literal["vera"] = "vera"
    r: int = setting(256, "Rank of the shared matrices.", "공유 행렬의 랭크.", gt=0)
    d_initial: float = setting(0.1, "First value of the scales.", "배율의 초깃값.")
    vera_dropout: float = setting(0.0, "Dropout before the matrices.", "행렬 앞의 드롭아웃.", ge=0, lt=1)
    projection_prng_key: int = setting(0, "Seed of the shared matrices.", "공유 행렬의 씨앗.", ge=0)
    bias: Literal["none", "all", "vera_only"] = setting(
        "none",
        "Biases of the base that are trained as well; they are saved with the adapter.",
        "함께 학습할 기본 모델의 편향. 어댑터와 함께 저장됩니다.",
    )


def mergeable(settings: Settings) -> bool:
    """Yes."""
    return True


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """A PEFT model: only the scales are trainable."""
    from dadeum.model.adapters._through_peft import wrap

    values = {
        **settings.layered(),
        "r": settings.r,
        "d_initial": settings.d_initial,
        "vera_dropout": settings.vera_dropout,
        "projection_prng_key": settings.projection_prng_key,
        "bias": settings.bias,
    }
    return wrap("VERA", model, values, new_tokens)
