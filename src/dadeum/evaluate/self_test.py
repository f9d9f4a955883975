"""Metrics shown at work: the examples of each, scored and combined as an evaluation does it, beside what they must give."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dadeum.core.errors import DadeumError
from dadeum.core.language import say
from dadeum.evaluate.metrics import METRICS, Example
from dadeum.evaluate.statistics import total


@dataclass(frozen=True)
class Shown:
    """One value of one example. None: nothing to measure."""

    metric: str
    key: str
    signature: str
    higher_is_better: bool | None
    case: str
    expected: float | None
    found: float | None
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether what was found is what must be."""
        if self.expected is None or self.found is None:
            return self.expected is None and self.found is None
        return math.isclose(self.found, self.expected, rel_tol=self.tolerance, abs_tol=self.tolerance)


@dataclass(frozen=True)
class Skipped:
    """A metric that cannot run here, and why."""

    metric: str
    reason: str


def self_test(names: Iterable[str] = ()) -> Iterator[Shown | Skipped]:
    """Run the examples of the metrics with these names, or of all. Raises ConfigError for a name that is none."""
    chosen = tuple(names) or METRICS.names
    for name in chosen:
        METRICS.member(name)
    for name in chosen:
        try:
            yield from _of(name)
        except DadeumError as error:
            yield Skipped(name, str(error))


def _of(name: str) -> Iterator[Shown]:
    member = METRICS.member(name)
    for example in member.examples():
        yield from _one(name, example)


def _one(name: str, example: Example) -> Iterator[Shown]:
    member = METRICS.member(name)
    settings = METRICS.validate({"type": name, **example.settings})
    if hasattr(member, "ready"):
        member.ready(settings)
    values = member.score(settings, example.samples)
    for key, expected in example.want.items():
        value = values.get(key)
        rows = [row for row in value.rows if row is not None] if value is not None else []
        yield Shown(
            metric=name,
            key=key,
            signature=value.signature if value is not None else "",
            higher_is_better=member.higher_is_better,
            case=say(example.english, example.korean),
            expected=expected,
            found=total(member, rows) if rows else None,
            tolerance=example.tolerance,
        )
