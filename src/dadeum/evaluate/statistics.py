"""The paired bootstrap: how sure is it that one model is better than another on these test rows?

Rows are drawn with replacement, the same rows for all models; the metric is recomputed from the summed statistics of the
drawn rows (Koehn 2004). The interval is Efron's BCa of 1987: the quantiles of the resamples, moved by their bias and by how
fast the spread changes with the value (the jackknife tells). Where rows share a context (ten questions of one paragraph),
whole contexts are drawn: their rows are no independent witnesses. The interval covers the choice of test rows, and nothing
else: not the seed of the training, not another test set.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from dadeum.evaluate.metrics import Row, Sums

COVERS = "the choice of test rows only"
CHUNK = 1 << 20  # drawn indices held at once
KEPT = 1 << 27  # bytes of drawn counts that are kept for the next metric
BLOCKS = 2000  # of a metric that is no function of sums at most so many leave-one-out values
NORMAL = NormalDist()
LEVEL = 0.95
# `percentile`: the bias or the acceleration cannot be told. `alike`: no resample differs, so there is nothing to tell.
How = Literal["bca", "percentile", "alike"]
Counts: TypeAlias = npt.NDArray[np.integer[Any]]


class Interval(NamedTuple):
    """95 %, how it was made, and how many resamples had no value (an AUROC of one class)."""

    low: float
    high: float
    how: How = "bca"
    lost: int = 0


@dataclass(frozen=True)
class Difference:
    """`value - first` over the same rows, with its 95 % interval and the p of the permutation test."""

    difference: float
    low: float
    high: float
    wins: int | None  # rows where this model is better than the first; None where a row alone has no value
    ties: int | None
    losses: int | None
    n: int
    p: float | None = None
    how: How = "bca"
    lost: int = 0

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.how != "alike" and (self.low > 0 or self.high < 0)


class Units:
    """What is drawn: rows, or (`groups`, a name a row) all rows of a context at once."""

    def __init__(self, n: int, groups: Sequence[str | None] | None = None) -> None:
        names = [f"={name}" if name is not None else at for at, name in enumerate(groups or [None] * n)]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        self.n, self.count = n, len(numbers)
        self.of_row = np.array([numbers[name] for name in names], np.int64)

    @property
    def grouped(self) -> bool:
        """Whether some rows go together."""
        return self.count < self.n

    def sums(self, rows: Sums) -> Sums:
        """The rows' statistics, summed by unit."""
        if not self.grouped:
            return rows
        found = np.zeros((self.count, rows.shape[1]))
        np.add.at(found, self.of_row, rows)
        return found

    def rows(self, times: Sums) -> Sums:
        """How often each row is there, of how often each unit is."""
        return times[:, self.of_row] if self.grouped else times


class Column(NamedTuple):
    """One model's statistics by one metric, (rows, statistics)."""

    metric: Any
    rows: Sums


def table(rows: Sequence[Row]) -> Sums:
    """Rows as an array (samples, statistics)."""
    if not rows:
        raise ValueError("no rows")
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)


def _draw(n: int, draws: int, seed: int) -> Iterator[Counts]:
    generator = np.random.default_rng(seed)
    step = max(1, CHUNK // n)
    for start in range(0, draws, step):
        count = min(step, draws - start)
        rows = generator.integers(0, n, size=(count, n)) + n * np.arange(count)[:, None]
        # A row that is drawn more than 255 times has a probability below 1e-500.
        yield np.bincount(rows.ravel(), minlength=count * n).reshape(count, n).astype(np.uint8)


@lru_cache(maxsize=2)
def _kept(n: int, draws: int, seed: int, chunk: int) -> tuple[Counts, ...]:
    return tuple(_draw(n, draws, seed))


def drawn(n: int, draws: int, seed: int) -> Iterator[Sums]:
    """How often each of `n` units is drawn in `draws` resamples, some of these at a time; one seed draws the same for all."""
    for counts in _kept(n, draws, seed, CHUNK) if n * draws <= KEPT else _draw(n, draws, seed):
        yield counts.astype(np.float64)


def by_rows(metric: Any) -> bool:
    """Whether the metric looks at the rows themselves, not at sums of them."""
    return hasattr(metric, "value")


def values(metric: Any, rows: Sums, times: Sums) -> Sums:
    """The metric's values of rows (n, statistics), each there `times` (draws, n)."""
    found: Sums = metric.value(rows, times) if by_rows(metric) else _quiet(metric, times @ rows)
    return found


def total(metric: Any, rows: Sequence[Row]) -> float:
    """The metric's value of all rows."""
    return float(whole(Column(metric, table(rows))))


def whole(column: Column) -> float:
    """The metric's value of all rows of a column."""
    return float(values(column.metric, column.rows, np.ones((1, len(column.rows))))[0])


def resampled(columns: Sequence[Column], units: Units, draws: int, seed: int) -> list[Sums]:
    """Each column's values in `draws` resamples of the same units; not finite where a resample has none.

    The counts are drawn once, and one matrix product sums for all columns that are functions of sums.
    """
    summed = [units.sums(c.rows) for c in columns if not by_rows(c.metric)]
    together = np.concatenate(summed, axis=1) if summed else np.zeros((units.count, 0))
    found: list[list[Sums]] = [[] for _ in columns]
    for times in drawn(units.count, draws, seed):
        sums, at = times @ together, 0
        by_row = None
        for place, column in enumerate(columns):
            if by_rows(column.metric):
                by_row = units.rows(times) if by_row is None else by_row
                found[place].append(column.metric.value(column.rows, by_row))
            else:
                size = column.rows.shape[1]
                found[place].append(_quiet(column.metric, sums[:, at : at + size]))
                at += size
    return [np.concatenate(parts) for parts in found]


def _quiet(metric: Any, sums: Sums) -> Sums:
    """What sums of some rows make; a quotient by nothing is no value."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Sums = metric.combine(sums)
    return found


def left_out(column: Column, units: Units) -> Sums:
    """The value without each unit (the jackknife); of metrics that look at rows without each of at most BLOCKS blocks."""
    metric, rows = column
    if not by_rows(metric):
        sums = units.sums(rows)
        return _quiet(metric, sums.sum(axis=0) - sums)
    blocks = min(units.count, BLOCKS)
    # Blocks of units in turn: their skewness is that of units, weaker by as much as their smaller number makes up for.
    of_row = units.of_row % blocks
    step = max(1, CHUNK // len(rows))
    parts = []
    for start in range(0, blocks, step):
        left = np.arange(start, min(start + step, blocks))
        parts.append(metric.value(rows, (of_row[None, :] != left[:, None]).astype(np.float64)))
    return np.concatenate(parts)


def reach(units: int) -> float:
    """How many standard errors the interval reaches: Student's t instead of 1.96, as the spread is only estimated, times
    √(n ÷ (n - 1)), as resamples are narrower than samples (Hesterberg 2015); 1.96 where there are many units."""
    z, v = NORMAL.inv_cdf((1 + LEVEL) / 2), max(1, units - 1)
    # Student's quantile (Hill 1970): by four terms it is right to 0.003 from 5 degrees of freedom on.
    terms = (z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
    student = sum(term / v**power for power, term in enumerate(terms))
    return float(student * math.sqrt((v + 1) / v))


def bca(found: Sums, value: float, left: Sums, units: int) -> Interval:
    """The interval of `value`, of its resamples and of what it is without each unit."""
    finite = found[np.isfinite(found)]
    lost = len(found) - len(finite)
    if not len(finite):
        return Interval(value, value, "alike", lost)
    low, high = float(finite.min()), float(finite.max())
    if high - low <= 1e-12 * max(1.0, abs(low), abs(high)):  # one and the same but for rounding
        return Interval(value, value, "alike", lost)
    z = reach(units)
    at = _levels(float(((finite < value).mean() + (finite <= value).mean()) / 2), left, z)
    low, high = (float(level) for level in np.quantile(finite, at or (NORMAL.cdf(-z), NORMAL.cdf(z))))
    return Interval(low, high, "bca" if at else "percentile", lost)


def _levels(below: float, left: Sums, reached: float) -> tuple[float, float] | None:
    """Which quantiles of the resamples are the ends; None where bias or acceleration cannot be told."""
    if not 0 < below < 1 or not np.isfinite(left).all():
        return None
    bias = NORMAL.inv_cdf(below)
    from_mean = left.mean() - left
    spread = float((from_mean**2).sum())
    turn = float((from_mean**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    found = []
    for end in (-reached, reached):
        z = bias + end
        if 1 - turn * z <= 0:
            return None
        found.append(NORMAL.cdf(bias + z / (1 - turn * z)))
    return found[0], found[1]


def interval(
    rows: Sequence[Row], metric: Any, *, draws: int, seed: int, groups: Sequence[str | None] | None = None
) -> Interval:
    """95 % interval of one model's value by a metric; rows of one of the `groups` are drawn together."""
    column, units = Column(metric, table(rows)), Units(len(rows), groups)
    return bca(resampled([column], units, draws, seed)[0], whole(column), left_out(column, units), units.count)


def paired(
    first: Sequence[Row],
    other: Sequence[Row],
    metric: Any,
    *,
    draws: int,
    seed: int,
    groups: Sequence[str | None] | None = None,
) -> Difference:
    """Difference of two models over the same rows, in the same order, by a metric."""
    from dadeum.evaluate.permutation import swapped

    a, b = Column(metric, table(first)), Column(metric, table(other))
    if len(a.rows) != len(b.rows):
        raise ValueError(f"{len(a.rows)} rows against {len(b.rows)}")
    units = Units(len(a.rows), groups)
    of_a, of_b = resampled([a, b], units, draws, seed)
    return difference(a, b, of_a, of_b, units, swapped([(a, b)], units, draws, seed)[0])


def difference(a: Column, b: Column, of_a: Sums, of_b: Sums, units: Units, p: float | None) -> Difference:
    """The difference of two columns, of their values in the same resamples."""
    by = whole(b) - whole(a)
    # Without a block that both need neither has a value, which is said by the fall back of the interval.
    with np.errstate(invalid="ignore"):
        span = bca(of_b - of_a, by, left_out(b, units) - left_out(a, units), units.count)
    return Difference(by, span.low, span.high, *_counts(a, b), len(a.rows), p, span.how, span.lost)


def _counts(a: Column, b: Column) -> tuple[int | None, int | None, int | None]:
    better = gains(a, b)
    if better is None:
        return None, None, None
    return int((better > 0).sum()), int((better == 0).sum()), int((better < 0).sum())


def gains(a: Column, b: Column) -> "Sums | None":
    """By how much `b` is better than `a` in each row; None where a row alone has no value."""
    if by_rows(a.metric) or not getattr(a.metric, "alone", True):
        return None
    found: Sums = _quiet(a.metric, b.rows) - _quiet(a.metric, a.rows)
    return found if a.metric.higher_is_better else -found


def standard_error(rows: Sequence[Row], metric: Any, groups: Sequence[str | None] | None = None) -> float | None:
    """Of one model's value, by the jackknife over rows or groups; of a mean, the deviation ÷ √n. None where it cannot be told."""
    units = Units(len(rows), groups)
    left = left_out(Column(metric, table(rows)), units)
    if len(left) < 2 or not np.isfinite(left).all():
        return None
    return float(np.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum()))
