"""The paired bootstrap: how sure is it that one model is better than another on these test rows?

Rows are drawn with replacement, the same rows for both models; the metric is recomputed from the summed statistics of
the drawn rows (Koehn 2004; Efron's percentile interval). The interval covers the choice of test rows, and nothing else:
not the seed of the training, not another test set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
    wins: int  # rows where this model is better than the first
    ties: int
    losses: int
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


def resampled(one: Sums, draws: int, seed: int) -> Sums:
    """Summed statistics of `draws` resamples, shape (draws, statistics); one seed draws the same rows for every table."""
    generator = np.random.default_rng(seed)
    n = len(one)
    step = max(1, CHUNK // n)
    parts = []
    for start in range(0, draws, step):
        count = min(step, draws - start)
        drawn = generator.integers(0, n, size=(count, n)) + n * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n)
        parts.append(times.astype(np.float64) @ one)
    return np.concatenate(parts)


def interval(rows: Sequence[Row], combine: Callable[[Sums], Sums], *, draws: int, seed: int) -> tuple[float, float]:
    """95 % interval of one model's value."""
    low, high = np.quantile(combine(resampled(table(rows), draws, seed)), (0.025, 0.975))
    return float(low), float(high)


def paired(
    first: Sequence[Row],
    other: Sequence[Row],
    combine: Callable[[Sums], Sums],
    *,
    higher_is_better: bool,
    draws: int,
    seed: int,
) -> Difference:
    """Difference of two models over the same rows, in the same order."""
    a, b = table(first), table(other)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} rows against {len(b)}")
    found = combine(resampled(b, draws, seed)) - combine(resampled(a, draws, seed))
    low, high = np.quantile(found, (0.025, 0.975))
    better = combine(b) - combine(a) if higher_is_better else combine(a) - combine(b)
    return Difference(
        difference=float(combine(b.sum(axis=0)) - combine(a.sum(axis=0))),
        low=float(low),
        high=float(high),
        wins=int((better > 0).sum()),
        ties=int((better == 0).sum()),
        losses=int((better < 0).sum()),
        n=len(a),
    )
