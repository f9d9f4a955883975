"""Spearman's correlation: Pearson's, of ranks; equal numbers share the mean of theirs. A prediction that never changes has 0."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Judged, Row, Sums, Value

needs: Literal["labels"] = "labels"
of = ("numbers",)
alone = False
per_token = False
higher_is_better = True
floored = False
unit = "-1 to 1"
keys = {
    "spearman": (
        "how nearly what is said is in the order of what is true",
        "말한 수의 순서가 참값의 순서에 가까운 정도",
    ),
}


class Settings(MemberSettings):
    """Spearman's correlation."""

    type: Literal["spearman"] = "spearman"


def score(settings: Settings, samples: Sequence[Judged]) -> dict[str, Value]:
    """`spearman`; of each row what is said and what is true."""
    import numpy as np

    from dadeum.evaluate.judging import known

    rows: list[Row | None] = [(*one.said.tolist(), *one.truth.tolist()) if known(one) else None for one in samples]
    whole = np.array([row for row in rows if row is not None])
    if not len(whole) or not np.isfinite(value(whole, np.ones((1, len(whole))))).all():
        rows = [None] * len(rows)
    return {"spearman": Value(tuple(rows), "spearman|ties:mean rank|constant prediction:0|avg:targets")}


def value(rows: Sums, times: Sums) -> Sums:
    """The mean over the numbers that a row has; each over the rows in which it is known."""
    import numpy as np

    from dadeum.evaluate.judging import correlation, mean

    size = rows.shape[1] // 2
    found = []
    for c in range(size):
        there = np.isfinite(rows[:, size + c])
        said, true, drawn = rows[there, c], rows[there, size + c], times[:, there]
        x, y = _ranks(said, drawn), _ranks(true, drawn)
        sums = ((drawn * of).sum(axis=1) for of in (x, y, x * x, y * y, x * y, np.ones_like(x)))
        found.append(correlation(*sums))
    return mean(np.stack(found, axis=-1))


def _ranks(numbers: Sums, times: Sums) -> Sums:
    """The rank of each row among all that were drawn, from the middle of them so that sums stay small."""
    import numpy as np

    _, of_row = np.unique(numbers, return_inverse=True)
    order = np.argsort(of_row, kind="stable")
    begins = np.flatnonzero(np.diff(of_row[order], prepend=-1))
    many = np.add.reduceat(times[:, order], begins, axis=1)
    ranks = np.cumsum(many, axis=1) - (many - 1) / 2
    found: Sums = (ranks - (times.sum(axis=1, keepdims=True) + 1) / 2)[:, of_row]
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import numpy as np

    def rows(*pairs: tuple[float, float]) -> list[Judged]:
        return [Judged("numbers", (), np.array([true]), np.array([said])) for true, said in pairs]

    return [
        Example("in order, though no line", "직선은 아니나 순서대로", rows((1, 1), (2, 10), (3, 100)), {"spearman": 1}),
        Example("in reverse", "거꾸로", rows((1, 9), (2, 2), (3, 1)), {"spearman": -1}),
        Example("two of three in order", "셋 중 둘만 순서대로", rows((1, 1), (2, 30), (3, 2)), {"spearman": 0.5}),
        Example("always the same", "늘 같은 수", rows((1, 4), (2, 4), (3, 4)), {"spearman": 0}),
    ]
