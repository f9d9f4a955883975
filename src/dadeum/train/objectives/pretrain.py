"""Pretraining: the negative log-likelihood of every token of plain text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from dadeum.core.settings import MemberSettings

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


class Settings(MemberSettings):
    """Has none of its own."""

    type: Literal["pretrain"] = "pretrain"


def collate(
    settings: Settings,
    samples: Sequence[tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]],
    *,
    packing: bool,
    pad_id: int,
) -> "dict[str, Tensor]":
    """Samples (ids, weights) to one packed or padded batch."""
    from dadeum.data.batch import collate as lay_out

    return lay_out(samples, packing=packing, pad_id=pad_id)


def weigh(settings: Settings, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
    """One term: the sum of the token weights."""
    return {"nll": (float(batch["weights"].double().sum()), 1.0)}


def compute(
    settings: Settings, model: "nn.Module", batch: "dict[str, Tensor]"
) -> "tuple[dict[str, Tensor], dict[str, float]]":
    """The weighted sum of the negative log-likelihoods, in fp32."""
    from dadeum.model.nll import token_nll

    nll, weights, _ = token_nll(model, batch)
    return {"nll": (nll * weights).sum()}, {}
