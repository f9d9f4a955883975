"""The paired bootstrap: how sure is it that one model is better than another on these test rows?

Rows are drawn with replacement, the same rows for both models; the metric is recomputed from the summed statistics of
the drawn rows (Koehn 2004; Efron's percentile interval). The interval covers the choice of test rows, and nothing else:
not the seed of the training, not another test set.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dadeum.evaluate.metrics import Row, Sums

COVERS = "the choice of test rows only"
CHUNK = 1 << 20  # drawn indices held at once


@dataclass(frozen=True)
class Difference:
    """`value - first` over the same rows, with its 95 % interval."""

    difference: float
    low: float
    high: float
    wins: int | None  # rows where this model is better than the first; None where a row alone has no value
    ties: int | None
    losses: int | None
    n: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def table(rows: Sequence[Row]) -> Sums:
    """Rows as an array (samples, statistics)."""
    if not rows:
        raise ValueError("no rows")
    return np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)


def drawn(n: int, draws: int, seed: int) -> Iterator[Sums]:
    """How often each of `n` rows is drawn in `draws` resamples, some of these at a time; one seed draws the same rows for all."""
    generator = np.random.default_rng(seed)
    step = max(1, CHUNK // n)
    for start in range(0, draws, step):
        count = min(step, draws - start)
        rows = generator.integers(0, n, size=(count, n)) + n * np.arange(count)[:, None]
        yield np.bincount(rows.ravel(), minlength=count * n).reshape(count, n).astype(np.float64)


def values(metric: Any, rows: Sums, times: Sums) -> Sums:
    """The metric's values of rows (n, statistics), each there `times` (draws, n)."""
    found: Sums = metric.value(rows, times) if hasattr(metric, "value") else metric.combine(times @ rows)
    return found


def total(metric: Any, rows: Sequence[Row]) -> float:
    """The metric's value of all rows."""
    return float(values(metric, table(rows), np.ones((1, len(rows))))[0])


def resampled(metric: Any, one: Sums, draws: int, seed: int) -> Sums:
    """The metric's values in `draws` resamples; not finite where a resample has none, such as an AUROC of one class."""
    return np.concatenate([values(metric, one, times) for times in drawn(len(one), draws, seed)])


def _middle(found: Sums) -> tuple[float, float]:
    finite = found[np.isfinite(found)]
    low, high = np.quantile(finite, (0.025, 0.975)) if len(finite) else (np.nan, np.nan)
    return float(low), float(high)


def interval(rows: Sequence[Row], metric: Any, *, draws: int, seed: int) -> tuple[float, float]:
    """95 % interval of one model's value by a metric."""
    return _middle(resampled(metric, table(rows), draws, seed))


def paired(first: Sequence[Row], other: Sequence[Row], metric: Any, *, draws: int, seed: int) -> Difference:
    """Difference of two models over the same rows, in the same order, by a metric."""
    a, b = table(first), table(other)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} rows against {len(b)}")
    low, high = _middle(resampled(metric, b, draws, seed) - resampled(metric, a, draws, seed))
    counts: tuple[int | None, int | None, int | None] = None, None, None
    if getattr(metric, "alone", True):
        better = (
            metric.combine(b) - metric.combine(a) if metric.higher_is_better else metric.combine(a) - metric.combine(b)
        )
        counts = int((better > 0).sum()), int((better == 0).sum()), int((better < 0).sum())
    return Difference(total(metric, other) - total(metric, first), low, high, *counts, len(a))
