"""What is learnt: examples to a batch, a batch to named terms.

The loop adds up the weight of each term over all micro-batches and processes of an optimizer step, and then minimises
`coefficient × sum ÷ that weight`, summed over the terms: the cut into micro-batches changes nothing.

A member defines `Settings`, `takes` (what of rows; None: what the head learns from), `needs` (what of the head), `collate`,
`weigh` and `compute`; and, where it wants them, `prepare` and `survey`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dadeum.config.purpose import Takes
from dadeum.core.family import Family
from dadeum.model.heads import Gives

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from dadeum.data.samples import Entry
    from dadeum.train.loop import Loop, Rows

OBJECTIVES = Family("dadeum.train.objectives")


class Layout(NamedTuple):
    """How a batch is laid out."""

    packing: bool
    pad_id: int


@dataclass
class Context:
    """What `compute` knows beside its batch: what was `prepared`, and the means of the whole step that `survey` found."""

    prepared: Any = None
    facts: dict[str, float] = field(default_factory=dict)


class Prepared(Protocol):
    """What `prepare` may return: facts of rows that were computed once."""

    def tensors(self, rows: "np.ndarray[Any, Any]", source: "Rows") -> "dict[str, Tensor]":
        """What is known of these rows of `source`, added to their batch."""


class Objective(Protocol):
    """A file of this family; `settings` are its own `Settings`. `auto` alone has nothing but these."""

    takes: Takes | None
    needs: Gives

    def collate(self, settings: Any, samples: "Sequence[Entry]", layout: Layout) -> "dict[str, Tensor]":
        """Samples to one batch on the CPU; its `weights` are above 0 at the tokens that count as trained."""

    def weigh(self, settings: Any, batch: "dict[str, Tensor]") -> dict[str, tuple[float, float]]:
        """Each term's weight in this batch, and its coefficient in the loss."""

    def compute(
        self, settings: Any, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
    ) -> "tuple[dict[str, Tensor], dict[str, Tensor]]":
        """Each term's sum (with its gradient); and by name (sum, weight) of metrics that are only shown, as a pair (2,)."""


class Preparing(Protocol):
    """An objective that must know more than its batch."""

    def prepare(self, settings: Any, loop: "Loop") -> Prepared:
        """Once, before the first step, also of a resumed run: a teacher, log-probabilities of a reference."""

    def survey(
        self, settings: Any, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
    ) -> dict[str, tuple[float, float]]:
        """Without gradients, before the step: sums and weights by name, whose means over the whole step `compute` gets."""
