"""What is learnt: examples to a batch, a batch to named terms.

The loop adds up the weight of each term over all micro-batches and processes of an optimizer step, and then minimises
`coefficient × sum ÷ that weight`, summed over the terms: the cut into micro-batches changes nothing.

A member defines `Settings`, `takes` (what of rows; None: what the head learns from), `needs` (what of the head), `collate`,
`weigh` and `compute`; and, where it wants them, `prepare`, `survey` and `refuse` (`train/context.py`).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dadeum.config.purpose import Takes
from dadeum.core.family import Family
from dadeum.model.heads import Gives
from dadeum.train.context import Context, Layout

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dadeum.data.samples import Entry

OBJECTIVES = Family("dadeum.train.objectives")


class Objective(Protocol):
    """A file of this family; `settings` are its own `Settings`."""

    takes: Takes | None
    needs: Gives

    def collate(self, settings: Any, samples: "Sequence[Entry]", layout: Layout) -> "dict[str, Tensor]":
        """Samples to one batch on the CPU; its `weights` are above 0 at the tokens that count as trained."""

    def weigh(self, settings: Any, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
        """Each term's weight in this batch, and its coefficient in the loss."""

    def compute(
        self, settings: Any, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
    ) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
        """Each term's sum (with its gradient); and metrics that are only shown, each as its sum and weight (2,)."""
