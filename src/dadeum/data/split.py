"""Rows parted into train, validation and test, so that no prompt stands in two parts.

Twins are rows with the same normalised prompt; they stay together. Which groups are drawn depends on their content and
the seed only, never on the order of rows. A part to which sources pin rows is taken as it is and nothing is drawn for
it; a twin of such a row in a lesser part goes out, and is counted. Numbers in arrays: there may be millions of rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dadeum.config.data import SplitSettings
from dadeum.data.keys import Groups
from dadeum.data.sources import PARTS, Part

# Where twins are pinned to several parts, the first of these keeps its rows.
PRECEDENCE: tuple[Part, ...] = ("test", "validation", "train")
# With fewer rows than this nothing is drawn unless a whole row is due.
ENOUGH = 10
# Parts as numbers: their place in PARTS, and of rows without one, or that a source pins to none:
NONE = -1
Numbers = npt.NDArray[np.int8]


@dataclass
class Split:
    """The part of each row as its place in PARTS, NONE for rows that went out; of these, whose twins they are."""

    parts: Numbers
    twin_of: Numbers
    empty: list[Part]


def _due(share: float, rows: int) -> int:
    """Rows that a share asks for: rounded, at least one of ten or more."""
    if share <= 0:
        return 0
    return max(round(share * rows), 1 if rows >= ENOUGH else 0)


def number(part: Part | None) -> int:
    """A part as a number."""
    return NONE if part is None else PARTS.index(part)


def split(groups: Groups, pinned: Numbers, settings: SplitSettings) -> Split:
    """The part of each row, from the groups of its prompt and the part that its source pins it to.

    Shares are of the rows that are not pinned. `empty` names parts that were asked for and got no row.
    """
    owner = np.full(len(groups.sizes), NONE, np.int8)
    for part in reversed(PRECEDENCE):
        owner[groups.of_row[pinned == number(part)]] = number(part)
    of_row = owner[groups.of_row]
    # An official test part keeps its size; training takes its twins in.
    stays = (pinned == of_row) | ((pinned == NONE) & (of_row == number("train")))
    parts = np.where(stays, of_row, NONE).astype(np.int8)
    twin_of = np.where(stays, NONE, of_row).astype(np.int8)

    free = np.flatnonzero(owner == NONE)
    sizes = np.cumsum(groups.sizes[free])
    total = int(sizes[-1]) if len(free) else 0
    drawn = np.full(len(groups.sizes), NONE, np.int8)
    drawn[free] = number("train")
    empty: list[Part] = []
    at = 0
    asked: tuple[tuple[Part, float], ...] = (("test", settings.test), ("validation", settings.validation))
    for part, share in asked:
        given = bool((pinned == number(part)).any())
        due = 0 if given else _due(share, total)
        before = int(sizes[at - 1]) if at else 0
        # As many groups as it takes to reach what is due; one is left for training.
        end = min(int(np.searchsorted(sizes, before + due)) + 1, len(free) - 1) if due else at
        drawn[free[at : max(at, end)]] = number(part)
        if share > 0 and not given and end <= at:
            empty.append(part)
        at = max(at, end)
    unpinned = of_row == NONE
    parts[unpinned] = drawn[groups.of_row[unpinned]]
    return Split(parts, twin_of, empty)


def ranks(pinned: Numbers) -> Numbers:
    """Of each row how soon its part comes where one of several rows stays: 0 for the part that keeps its twins."""
    rank = np.full(len(PARTS) + 1, len(PRECEDENCE), np.int8)
    for place, part in enumerate(PRECEDENCE):
        rank[number(part)] = place
    found: Numbers = rank[pinned]
    return found


def _lined_up(groups: Groups, pinned: Numbers) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows group by group, in each by rank and place; and where in that order each row's group begins."""
    order = np.lexsort((np.arange(len(pinned)), ranks(pinned), groups.of_row))
    of_row = groups.of_row[order]
    starts = np.zeros(len(order), np.int64)
    starts[1:] = np.where(np.diff(of_row) != 0, np.arange(1, len(order)), 0)
    return order, np.maximum.accumulate(starts) if len(starts) else starts


def places(groups: Groups, pinned: Numbers) -> npt.NDArray[np.int64]:
    """Of each row how many with the same key come before it, by rank and place."""
    order, starts = _lined_up(groups, pinned)
    found = np.empty(len(order), np.int64)
    found[order] = np.arange(len(order)) - starts
    return found


def extra(groups: Groups, pinned: Numbers) -> dict[int, int]:
    """Of rows with the same key all but one, and which one stays: of the part that keeps its twins, the first."""
    order, starts = _lined_up(groups, pinned)
    gone = starts != np.arange(len(order))
    return dict(zip(order[gone].tolist(), order[starts[gone]].tolist(), strict=True))


def crossing(groups: Groups, parts: Numbers) -> int:
    """Groups whose rows stand in more than one part."""
    kept = parts != NONE
    pairs = np.unique(groups.of_row[kept] * len(PARTS) + parts[kept])
    return int((np.bincount(pairs // len(PARTS), minlength=1) > 1).sum())


def twins(groups: Groups, parts: Numbers) -> dict[Part, int]:
    """Of each part the rows whose prompt stands in it more than once, the first of each aside."""
    found: dict[Part, int] = {}
    for part in PARTS:
        rows = groups.of_row[parts == number(part)]
        found[part] = len(rows) - len(np.unique(rows))
    return found
