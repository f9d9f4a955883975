"""Lengths of samples: quantiles, a histogram, what a limit would cost, how many packed rows they fill.

Four bytes a sample are kept; all else is counted from these.
"""

import math
from array import array
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

QUANTILES = (0.1, 0.5, 0.9, 0.99)
LIMITS = (512, 1024, 2048, 4096)
BINS = 10
Ints = npt.NDArray[np.int64]
# What becomes of a sample beyond the limit.
Rule = Literal["chop", "drop", "cut"]


class Lengths:
    """One length a sample, in the order of samples."""

    def __init__(self) -> None:
        self._values = array("i")

    def __len__(self) -> int:
        return len(self._values)

    def add(self, length: int) -> None:
        """The next one."""
        self._values.append(min(length, 2**31 - 1))

    @property
    def values(self) -> Ints:
        """All of them."""
        return np.array(self._values, np.int64)

    def facts(self) -> dict[str, Any]:
        """Total, range, mean, quantiles, histogram; empty where there is nothing."""
        values = self.values
        if not len(values):
            return {}
        quantiles = np.quantile(values, QUANTILES, method="inverted_cdf")
        return {
            "samples": len(values),
            "total": int(values.sum()),
            "shortest": int(values.min()),
            "mean": round(float(values.mean()), 2),
            "quantiles": {f"{q:g}": int(value) for q, value in zip(QUANTILES, quantiles, strict=True)},
            "longest": int(values.max()),
            "histogram": histogram(values),
        }


def _width(span: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … by which so much falls into at most BINS bins."""
    least = max(1.0, span / BINS)
    power = int(10 ** math.floor(math.log10(least)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)


def histogram(values: Ints) -> list[dict[str, int | None]]:
    """Bins of equal width up to where 99 of 100 are; the last takes the rest and has no `to` (which counts in)."""
    width = _width(float(np.quantile(values, 0.99)) + 1)
    bins = np.minimum(values // width, BINS)
    counts = np.bincount(bins)
    first = int(np.flatnonzero(counts)[0])
    return [
        {"from": at * width, "to": None if at == BINS else (at + 1) * width - 1, "count": int(counts[at])}
        for at in range(first, len(counts))
    ]


def fitted(values: Ints, limit: int, rule: Rule) -> Ints:
    """The lengths under a limit: long documents in nearly equal chunks, other long samples dropped or cut."""
    if rule == "drop":
        return values[values <= limit]
    if rule == "cut":
        return np.minimum(values, limit)
    chunks = np.maximum(1, -(-values // limit))
    parts = np.repeat(values // chunks, chunks)
    # The first `length mod chunks` of a document's chunks have one token more.
    starts = np.repeat(np.cumsum(chunks) - chunks, chunks)
    found: Ints = parts + (np.arange(len(parts)) - starts < np.repeat(values % chunks, chunks))
    return found


def fitted_pairs(values: Ints, times: Ints, limit: int, rule: Rule) -> Ints:
    """The same of pairs, two lengths each, each pair so many times: the longer one decides, both are cut at one place."""
    pairs = values.reshape(-1, 2).repeat(times.reshape(-1, 2)[:, 0], axis=0)
    over = np.maximum(pairs.max(axis=1) - limit, 0)
    left = pairs[over == 0] if rule == "drop" else pairs - over[:, None]
    found: Ints = left.ravel()
    return found


def packed_rows(values: Ints, limit: int) -> int:
    """Rows of `limit` tokens that take all samples, none of them divided: the longest first, each where it fits best."""
    room: npt.NDArray[np.int64] = np.zeros(limit + 1, np.int64)  # rows by what is free in them
    opened = 0
    counts = np.bincount(np.minimum(values, limit), minlength=limit + 1)
    for length in range(limit, 0, -1):
        left = int(counts[length])
        while left:
            free = np.flatnonzero(room[length:])
            if not len(free):
                each = limit // length
                whole, rest = divmod(left, each)
                opened += whole + bool(rest)
                room[limit - each * length] += whole
                if rest:
                    room[limit - rest * length] += 1
                break
            best = length + int(free[0])
            taken = min(left, int(room[best]))
            room[best] -= taken
            room[best - length] += taken
            left -= taken
    return opened


def forecast(values: Ints, limits: Sequence[int], rule: Rule) -> list[dict[str, Any]]:
    """Of each limit: samples beyond it, tokens that would be lost, what is left, and the packed rows of it."""
    found = []
    for limit in limits:
        left = fitted(values, limit, rule)
        rows, tokens = packed_rows(left, limit), int(left.sum())
        longer = int((values > limit).sum())
        found.append(
            {
                "max_length": limit,
                "longer": longer,
                "share": round(longer / len(values), 6) if len(values) else 0.0,
                "lost_tokens": int(values.sum()) - tokens,
                "tokens": tokens,
                "packed_rows": rows,
                "filled": round(tokens / (rows * limit), 4) if rows else 0.0,
            }
        )
    return found
