"""Losses of heads: sums over the targets that are known, and what these weigh together. A mean is one by the other."""

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from dadeum.core.errors import ModelError
from dadeum.model.heads import Outlet
from dadeum.model.heads._settings import check_classes

if TYPE_CHECKING:
    from torch import Tensor


def by_class(key: str, given: dict[str, float], outlet: Outlet, like: "Tensor") -> "Tensor | None":
    """A number for each class, 1 where nothing is said; None where nothing is said of any. Raises ModelError."""
    if not given:
        return None
    try:
        check_classes(f"head.{key}", given, outlet.names)
    except ValueError as error:
        raise ModelError(str(error)) from None
    return torch.tensor([given.get(name, 1.0) for name in outlet.names], dtype=torch.float32, device=like.device)


def class_weight(targets: "Tensor", weights: "Tensor | None") -> float:
    """What the known classes (n, 1) weigh: their number, or the sum of their classes' weights."""
    known = targets[targets >= 0].long()
    return float(known.numel() if weights is None else weights[known].double().sum())


def cross_entropy(
    out: "Tensor", targets: "Tensor", weights: "Tensor | None" = None, smoothing: float = 0.0
) -> "Tensor":
    """Over classes (n, C), where the target (n, 1) is known."""
    known = targets[:, 0] >= 0
    return F.cross_entropy(
        out[known], targets[known, 0].long(), weight=weights, label_smoothing=smoothing, reduction="sum"
    )


def count(targets: "Tensor") -> float:
    """How many numbers are known."""
    return float((~targets.isnan()).sum())


def binary(out: "Tensor", targets: "Tensor", weights: "Tensor | None" = None) -> "Tensor":
    """Cross-entropy of each class by itself, over those that are known; `weights` of where it holds."""
    known = ~targets.isnan()
    weights = None if weights is None else weights.expand_as(out)[known]
    return F.binary_cross_entropy_with_logits(out[known], targets[known], pos_weight=weights, reduction="sum")


def distance(out: "Tensor", targets: "Tensor", kind: str, delta: float) -> "Tensor":
    """Squared, absolute or Huber's, over the numbers that are known."""
    known = ~targets.isnan()
    a, b = out[known], targets[known]
    if kind == "mse":
        return F.mse_loss(a, b, reduction="sum")
    return F.l1_loss(a, b, reduction="sum") if kind == "l1" else F.huber_loss(a, b, delta=delta, reduction="sum")
