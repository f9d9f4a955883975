"""The permutation test: how often would chance alone make a difference as large, if the two models were the same?

Row by row (or context by context) a coin says which of the two models gave which answer; the metric is recomputed of the
rows that each then has. p is the share of such swaps that differ at least as much as the models do, either way, the
models' own order counted among them: (k + 1) ÷ (n + 1).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from dadeum.evaluate import statistics
from dadeum.evaluate.metrics import Sums
from dadeum.evaluate.statistics import Column, Units, by_rows, values, whole


def coins(count: int, swaps: int, seed: int) -> Iterator[Sums]:
    """1 where a unit is swapped, 0 where not, some swaps at a time; one seed throws the same for all."""
    generator = np.random.default_rng((seed, 1))
    step = max(1, statistics.CHUNK // count)
    for start in range(0, swaps, step):
        size = (min(step, swaps - start), count)
        yield generator.integers(0, 2, size=size, dtype=np.uint8).astype(np.float64)


def swapped(pairs: Sequence[tuple[Column, Column]], units: Units, swaps: int, seed: int) -> list[float]:
    """p of each pair of columns of one metric, over the same rows, all by the same coins."""
    summed = [(units.sums(a.rows), units.sums(b.rows)) for a, b in pairs if not by_rows(a.metric)]
    together = np.concatenate([b - a for a, b in summed], axis=1) if summed else np.zeros((units.count, 0))
    real = [whole(b) - whole(a) for a, b in pairs]
    as_large = np.zeros(len(pairs), np.int64)
    for coin in coins(units.count, swaps, seed):
        moved, at, left = coin @ together, 0, iter(summed)
        by_row: Sums | None = None
        for place, (a, b) in enumerate(pairs):
            if by_rows(a.metric):
                by_row = units.rows(coin) if by_row is None else by_row
                found = _of_rows(a, b, by_row)
            else:
                of_a, of_b = (side.sum(axis=0) for side in next(left))
                size = a.rows.shape[1]
                move = moved[:, at : at + size]
                at += size
                with np.errstate(divide="ignore", invalid="ignore"):
                    found = a.metric.combine(of_b - move) - a.metric.combine(of_a + move)
            # What has no value is no evidence for a difference; equal but for rounding is as large.
            limit = abs(real[place]) - 1e-10 * max(1.0, abs(real[place]))
            as_large[place] += int((~(np.abs(found) < limit)).sum())
    return [float((k + 1) / (swaps + 1)) for k in as_large]


def _of_rows(a: Column, b: Column, coin: Sums) -> Sums:
    """The difference for metrics that look at rows: of all rows of both models, those that each of the two has now."""
    both = np.concatenate([a.rows, b.rows])
    first = values(a.metric, both, np.concatenate([1 - coin, coin], axis=1))
    other = values(a.metric, both, np.concatenate([coin, 1 - coin], axis=1))
    return other - first
