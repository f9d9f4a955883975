"""The account of all samples: what was left out and why, what is refused, and the statistics of the rest."""

import itertools
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from dadeum.config.data import DataSettings
from dadeum.config.purpose import Purpose
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.data.balance import Balance
from dadeum.data.labels import Labels
from dadeum.data.samples import Block
from dadeum.data.seen import Seen
from dadeum.data.shape import Chunk, Overlong, Shaped
from dadeum.data.sources import PARTS

# Rows of a chunk, and characters, where rows are long: no more than goes into a pipe at once.
CHUNK, ROOM = 1000, 1 << 19
# Conversations on which the template's own marks are compared with what is trained.
MARKED = 50
QUANTILES = (0.5, 0.9, 0.99)


@dataclass
class Tally:
    """Counts of one part."""

    rows: int = 0
    trained: int = 0
    answer_bytes: int = 0
    lengths: "array[int]" = field(default_factory=lambda: array("i"))
    units: int = 0

    def add(self, block: Block, rows: int, rated: bool = False) -> None:
        """Count samples that are kept, of so many rows. Where answers are `rated`, of a unit only the first is trained."""
        self.rows += rows
        self.lengths.frombytes(block.lengths.tobytes())
        begins = np.ones(len(block.lengths), np.bool_) if block.sequences is None else block.sequences > 0
        self.units += int(np.count_nonzero(begins))
        trained = block.weights[np.repeat(begins, block.lengths)] if rated else block.weights
        self.trained += int(np.count_nonzero(trained))
        self.answer_bytes += int(block.answer_bytes.sum())

    def facts(self) -> dict[str, Any]:
        """What `statistics.json` says of the part."""
        tokens = sum(self.lengths)
        quantiles = np.quantile(self.lengths, QUANTILES) if self.lengths else [0.0] * len(QUANTILES)
        return {
            "rows": self.rows,
            "samples": self.units,
            "sequences": len(self.lengths),
            "tokens": tokens,
            "trained_tokens": self.trained,
            "trained_share": round(self.trained / tokens, 6) if tokens else 0.0,
            "answer_bytes": self.answer_bytes,
            "shortest": min(self.lengths, default=0),
            "longest": max(self.lengths, default=0),
            "length_quantiles": {f"{q:g}": float(value) for q, value in zip(QUANTILES, quantiles, strict=True)},
        }


class Task(NamedTuple):
    """A chunk of rows, for whoever does it."""

    chunk: Chunk


def tasks(lines: Iterable[str]) -> Iterator[Task]:
    """The lines of `processed_conversations.json`, some at a time."""
    chunk: list[str] = []
    marked, size = MARKED, 0
    for line in lines:
        chunk.append(line)
        size += len(line)
        if len(chunk) == CHUNK or size >= ROOM:
            yield Task(Chunk(chunk, marked))
            chunk, marked, size = [], 0, 0
    if chunk:
        yield Task(Chunk(chunk, marked))


class Formatter:
    """The account of all samples, and of the rows that are left out."""

    def __init__(self, data: DataSettings, purpose: Purpose, reporter: Reporter, labels: Labels | None = None) -> None:
        self.data = data
        self.balance = Balance(labels) if labels is not None else None
        self.keeps_answers = not purpose.targets
        self.pretrain, self.rated = purpose.pretrain, purpose.takes == "rated"
        self.reporter = reporter
        self.tallies: dict[str, Tally] = {part: Tally() for part in PARTS}
        self.overlong = Overlong()
        self.dropped: Counter[str] = Counter()
        self.first_faulty: dict[str, Any] | None = None
        self.marks: list[bool] = []
        self.seen = Seen()
        self.questions = self.done = 0

    def take(self, shaped: Shaped) -> None:
        """A chunk of rows that became samples."""
        for part, block in shaped.blocks.items():
            self.tallies[part].add(block, shaped.kept[part], self.rated)
            if self.balance is not None:
                self.balance.add(part, block)
        for entry in shaped.dropped:
            self.dropped[entry["kind"]] += 1
            if entry["kind"] == "not rendered":  # the rest is the gate's to judge, or that of data.overlong
                self.first_faulty = self.first_faulty or entry
        self.overlong = self.overlong.and_then(shaped.overlong)
        self.marks += shaped.marks
        self.questions += len(shaped.questions)
        self.seen.merge(shaped.seen)
        self.done += shaped.rows
        self.reporter.advance(self.done, dropped=self.dropped.total())

    def refuse_overlong(self) -> None:
        """Raises DataError where samples were too long and `data.overlong` is `error`."""
        if self.data.overlong != "error" or not self.overlong.found:
            return
        limit, found = self.data.max_length, self.overlong
        keep, korean = (" or keep_answer", " 또는 keep_answer") if self.keeps_answers else ("", "")
        raise DataError(
            say(
                f"{found.found} samples are longer than data.max_length={limit}, first {found.first}, longest {found.longest} tokens; "
                f"set data.max_length={found.longest}, or data.overlong=drop{keep}",
                f"샘플 {found.found}개가 data.max_length={limit}보다 깁니다. 처음은 {found.first}, 가장 긴 것은 {found.longest}토큰입니다. "
                f"data.max_length={found.longest}로 늘리거나 data.overlong=drop{korean}를 쓰세요",
            )
        )

    def statistics(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """What `statistics.json` holds; `report` is that of the stage before."""
        total = Tally(
            sum(t.rows for t in self.tallies.values()),
            sum(t.trained for t in self.tallies.values()),
            sum(t.answer_bytes for t in self.tallies.values()),
            array("i", itertools.chain.from_iterable(t.lengths for t in self.tallies.values())),
            sum(t.units for t in self.tallies.values()),
        )
        found = self.overlong
        return {
            "parts": {part: tally.facts() for part, tally in self.tallies.items()},
            "total": total.facts(),
            "questions": self.questions,
            "max_length": self.data.max_length,
            "overlong": {
                "policy": "chop" if self.pretrain else self.data.overlong,
                "found": found.found,
                "dropped": found.dropped,
                "cut": found.cut,
                "chopped": found.chopped,
            },
            "rows_read": report["read"],
            "dropped_before": report["dropped"],
            "dropped": dict(sorted(self.dropped.items())),
            **({"labels": self.balance.facts()} if self.balance is not None else {}),
            "marks": {"compared": len(self.marks), "agree": sum(self.marks)} if self.marks else None,
        }
