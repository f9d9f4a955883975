"""What is learnt: examples to a batch, a batch to named terms.

The loop adds up the weight of each term over all micro-batches and processes of an optimizer step, and then minimises
`coefficient × sum ÷ that weight`, summed over the terms: the cut into micro-batches changes nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dadeum.core.family import Family

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

OBJECTIVES = Family("dadeum.train.objectives")


class Objective(Protocol):
    """A file of this family; `settings` are its own `Settings`."""

    def collate(
        self,
        settings: Any,
        samples: Sequence[tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]],
        *,
        packing: bool,
        pad_id: int,
    ) -> "dict[str, Tensor]":
        """Samples (ids, weights) to one batch on the CPU."""

    def weigh(self, settings: Any, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
        """Each term's weight in this batch, and its coefficient in the loss."""

    def compute(
        self, settings: Any, model: "nn.Module", batch: "dict[str, Tensor]"
    ) -> "tuple[dict[str, Tensor], dict[str, float]]":
        """Each term's sum (with its gradient), and further metrics that are only shown."""
