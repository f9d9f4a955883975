"""What metrics of labels have in common: what a head decided, and means over targets."""

from collections.abc import Sequence

import numpy as np

from dadeum.evaluate.metrics import Judged, Row, Sums

THRESHOLD = 0.5  # above it a class of several is said to apply


def decided(one: Judged) -> Sums:
    """What the head says, in the form of the truth: the likeliest class, 0 or 1 for each, of words of each token."""
    if one.kind == "classes":
        return np.asarray(one.said > THRESHOLD, np.float64)
    if one.kind == "words":
        return np.asarray(one.said.argmax(axis=1), np.float64)
    if one.kind in ("class", "choice"):
        return np.array([one.said.argmax()], np.float64)
    return one.said


def known(one: Judged) -> bool:
    """Whether the row has a label for this head."""
    return one.kind == "pair" or bool(np.isfinite(one.truth).any())


def errors(samples: Sequence[Judged], power: int) -> tuple[Row | None, ...]:
    """Of each row the sum of |error|^power over its known numbers, and how many these are."""
    rows: list[Row | None] = []
    for one in samples:
        wrong = np.abs(one.said - one.truth)[np.isfinite(one.truth)] ** power
        rows.append((float(wrong.sum()), float(len(wrong))) if known(one) else None)
    return tuple(rows)


def correlation(x: Sums, y: Sums, xx: Sums, yy: Sums, xy: Sums, n: Sums) -> Sums:
    """Pearson's r of sums. What is said without any difference goes with nothing: 0; where the truth is, there is no value."""
    with np.errstate(divide="ignore", invalid="ignore"):
        said, true = xx - x * x / n, yy - y * y / n
        found = (xy - x * y / n) / np.sqrt(said * true)
    # Of sums of equal numbers a rest of rounding is left.
    found = np.where(said <= 1e-12 * np.maximum(xx, 1e-300), 0.0, np.clip(found, -1, 1))
    result: Sums = np.where((true > 1e-12 * np.maximum(yy, 1e-300)) & (n > 1), found, np.nan)
    return result


def mean(columns: Sums) -> Sums:
    """The mean over the last axis of what is finite; not finite where nothing is."""
    finite = np.isfinite(columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Sums = np.where(finite, columns, 0.0).sum(axis=-1) / finite.sum(axis=-1)
    return found
