"""Metrics shown at work: the examples of each, scored and combined as an evaluation does it, beside what they must give."""

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dadeum.core.errors import DadeumError, HubError
from dadeum.core.hub import offline
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
    asked = offline()
    for name in chosen:
        try:
            yield from _of(name)
        except DadeumError as error:
            yield Skipped(name, str(error) if asked or not isinstance(error, HubError) else _not_here())


def _not_here() -> str:
    return say(
        "its model is not on this machine, and a self-test fetches nothing",
        "모델이 이 컴퓨터에 없고, 자체 점검은 아무것도 내려받지 않습니다",
    )


@contextmanager
def _offline() -> Iterator[None]:
    """Nothing is fetched to be shown: a model that is not here is told."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before


def _of(name: str) -> Iterator[Shown]:
    member = METRICS.member(name)
    for example in member.examples():
        yield from _one(name, example)


def _one(name: str, example: Example) -> Iterator[Shown]:
    member = METRICS.member(name)
    settings = METRICS.validate({"type": name, **example.settings})
    with _offline():
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
