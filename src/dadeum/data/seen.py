"""What a gate has seen: a few numbers of each sample, small enough to go from process to process and to be united."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dadeum.data.render import Sample
from dadeum.data.sources import PARTS

ASKED = 64  # rows that are asked again
Row = Mapping[str, Any]
Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


class Flat(NamedTuple):
    """Samples of a chunk: their ids and weights end to end, where each begins (and the last ends), which row each is of."""

    ids: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    starts: Ints
    owners: Ints

    @classmethod
    def of(cls, samples: Sequence[tuple[int, Sample]]) -> "Flat | None":
        """Of samples with their rows' places in the chunk; None without any."""
        if not samples:
            return None
        starts = np.zeros(len(samples) + 1, np.int64)
        np.cumsum([len(sample.input_ids) for _, sample in samples], out=starts[1:])
        ids = np.concatenate([sample.input_ids for _, sample in samples])
        weights = np.concatenate([sample.weights for _, sample in samples])
        return cls(ids, weights, starts, np.array([owner for owner, _ in samples], np.int64))


class First(NamedTuple):
    """The first row of a finding, and what is to be said of it."""

    source_row: int
    where: str
    detail: str = ""


@dataclass
class Found:
    """Rows in which a condition was found."""

    rows: int = 0
    first: First | None = None

    def add(self, rows: int, first: First | None) -> None:
        """Some more."""
        self.rows += rows
        if first is not None and (self.first is None or first.source_row < self.first.source_row):
            self.first = first


class Asked(NamedTuple):
    """A row whose prompt is made again, as the model will be asked; `ids` are those of its last sample, or of all its text."""

    first: First
    row: Row
    ids: npt.NDArray[np.int32]


@dataclass
class Suspect:
    """A row whose text holds control strings, with the control ids of its samples, and how many rows are like it."""

    first: First
    row: Row
    control: Counter[int]
    rows: int = 0


@dataclass
class Seen:
    """Counts, findings, and what must be judged when all is seen."""

    rows: int = 0
    samples: int = 0
    answers: int = 0
    lost: int = 0  # answers
    longest: int = 0  # sample that was too long, in tokens
    talks: int = 0  # conversations among the training rows
    heads: dict[str | None, First] = field(default_factory=dict)  # system messages that these begin with; of many, some
    found: dict[str, Found] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    suspects: dict[int, Suspect] = field(default_factory=dict)
    prompts: dict[str, list[tuple[Hashes, Ints]]] = field(default_factory=lambda: {part: [] for part in PARTS})

    def note(self, condition: str, rows: int, first: First | None) -> None:
        """A condition was found in so many rows."""
        self.found.setdefault(condition, Found()).add(rows, first)

    def merge(self, other: "Seen") -> None:
        """What was seen of other rows."""
        for name in ("rows", "samples", "answers", "lost", "talks"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.longest = max(self.longest, other.longest)
        for head, first in other.heads.items():
            self.heads[head] = min(first, self.heads.get(head, first))
        for condition, found in other.found.items():
            self.note(condition, found.rows, found.first)
        self.asked = sorted(self.asked + other.asked, key=lambda asked: asked.first.source_row)[:ASKED]
        for key, suspect in other.suspects.items():
            mine = self.suspects.get(key)
            if mine is None or suspect.first.source_row < mine.first.source_row:
                self.suspects[key] = Suspect(suspect.first, suspect.row, suspect.control, mine.rows if mine else 0)
            self.suspects[key].rows += suspect.rows
        for part, prompts in other.prompts.items():
            self.prompts[part] += prompts


def answers(sample: Sample) -> int:
    """Runs of trained tokens."""
    trained = np.concatenate([[False], sample.weights > 0])
    return int(np.count_nonzero(trained[1:] & ~trained[:-1]))
