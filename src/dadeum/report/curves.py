"""The curves of a training from `metrics.jsonl`, however long: read line by line, thinned as they come, no peak lost."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KNOWN = ("loss", "validation_loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes")
BESIDE = frozenset({"step", "epoch", "time", "tokens", "trained_tokens"})  # counters and clocks, which are no curves
MOST = 400  # buckets a curve; each keeps up to four points
MOST_CURVES = 40
Point = tuple[float, float]


@dataclass
class _Bucket:
    """Neighbours on the curve: the first, the last, the lowest, the highest."""

    first: Point
    low: Point
    high: Point
    last: Point

    def join(self, later: "_Bucket") -> "_Bucket":
        return _Bucket(
            self.first,
            min(self.low, later.low, key=lambda p: p[1]),
            max(self.high, later.high, key=lambda p: p[1]),
            later.last,
        )

    def points(self) -> list[Point]:
        return sorted({self.first, self.low, self.high, self.last})


class Curve:
    """Points of one measure. Memory does not grow with their number: full, neighbours become one bucket."""

    def __init__(self) -> None:
        self.count = 0
        self._width = 1
        self._buckets: list[_Bucket] = []
        self._held = 0  # points in the last bucket

    def add(self, x: float, y: float) -> None:
        """Take the next point."""
        point = (x, y)
        one = _Bucket(point, point, point, point)
        self.count += 1
        if self._buckets and self._held < self._width:
            self._buckets[-1] = self._buckets[-1].join(one)
            self._held += 1
            return
        if len(self._buckets) == 2 * MOST:
            pairs = zip(self._buckets[::2], self._buckets[1::2], strict=True)
            self._buckets = [a.join(b) for a, b in pairs]
            self._width *= 2
        self._buckets.append(one)
        self._held = 1

    def points(self) -> list[Point]:
        """What is drawn, in order."""
        return [point for bucket in self._buckets for point in bucket.points()]

    @property
    def lowest(self) -> Point:
        """The lowest of all points, thinned away or not."""
        return min((b.low for b in self._buckets), key=lambda p: p[1])

    @property
    def highest(self) -> Point:
        """The highest of all points."""
        return max((b.high for b in self._buckets), key=lambda p: p[1])

    @property
    def last(self) -> Point:
        """Where it ends."""
        return self._buckets[-1].last

    @property
    def first(self) -> Point:
        """Where it begins."""
        return self._buckets[0].first


@dataclass
class Curves:
    """All curves of a run by name, and how many lines of the file are no measurement."""

    by_name: dict[str, Curve] = field(default_factory=dict)
    lines: int = 0
    torn: int = 0
    epochs: Point | None = None  # the last step and its epoch

    def of(self, name: str) -> Curve | None:
        """The curve of that name."""
        return self.by_name.get(name)

    @property
    def others(self) -> tuple[str, ...]:
        """What the objective showed beside the loss."""
        return tuple(name for name in self.by_name if name not in KNOWN)


def read_curves(path: Path) -> Curves:
    """Read the file once. A line that a kill cut short, or that is no measurement, is counted and left out."""
    found = Curves()
    for line in _lines(path):
        found.lines += 1
        step = line.get("step") if isinstance(line, dict) else None
        if not isinstance(step, int) or isinstance(step, bool):
            found.torn += 1
            continue
        epoch = line.get("epoch")
        if isinstance(epoch, int | float):
            found.epochs = (step, epoch)
        for name, value in line.items():
            if name not in BESIDE and _number(value):
                if name not in found.by_name and len(found.by_name) >= MOST_CURVES:
                    continue
                found.by_name.setdefault(name, Curve()).add(step, value)
    return found


def _lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            if text.strip():
                try:
                    yield json.loads(text)
                except (ValueError, RecursionError):
                    yield None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
