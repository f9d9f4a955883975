"""What an objective is told beside its batch, and what it may do before a step. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dadeum.core.settings import MemberSettings

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from dadeum.train.loop import Loop, Rows


class Layout(NamedTuple):
    """How a batch is laid out."""

    packing: bool
    pad_id: int


class OtherModel(NamedTuple):
    """A model beside the one that is trained: a Hub id with its revision, or a folder."""

    name: str
    revision: str


@dataclass
class Context:
    """What `compute` knows beside its batch: what was `prepared`, and the means of the whole step that `survey` found."""

    prepared: Any = None
    facts: dict[str, float] = field(default_factory=dict)


class Prepared(Protocol):
    """What `prepare` may return: facts of rows that were computed once."""

    def tensors(self, rows: "np.ndarray[Any, Any]", source: "Rows") -> "Mapping[str, Tensor]":
        """What is known of these rows of `source`, added to their batch."""


class Preparing(Protocol):
    """An objective that must know more than its batch has some of these functions."""

    def refuse(self, settings: Any, adapter: MemberSettings) -> None:
        """Raises ConfigError for an adapter that it does not go with."""

    def prepare(self, settings: Any, loop: "Loop") -> Prepared | None:
        """Once, before the first step, also of a resumed run: a teacher, log-probabilities of a reference."""

    def teacher(self, settings: Any) -> OtherModel:
        """A second model that is fetched with the first; its folder is the job's `teacher_place`. Such an objective also has
        `pinned(settings, commit)`, its settings with a commit, and `fits(settings, tokenizer, place)`, which refuses what does
        not go with the model's tokenizer before data are made.
        """

    def survey(
        self, settings: Any, model: "nn.Module", batch: "dict[str, Tensor]", context: Context
    ) -> dict[str, tuple[float, float]]:
        """Without gradients, before the step: sums and weights by name, whose means over the whole step `compute` gets."""
