"""Pearson's correlation of predicted and true numbers, the mean over several. A prediction that never changes has 0."""

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
    "pearson": ("how nearly what is said is a straight line of what is true", "말한 수가 참값의 직선에 가까운 정도"),
}


class Settings(MemberSettings):
    """Pearson's correlation."""

    type: Literal["pearson"] = "pearson"


def score(settings: Settings, samples: Sequence[Judged]) -> dict[str, Value]:
    """`pearson`; of each number its sums."""
    import numpy as np

    from dadeum.evaluate.judging import known

    rows: list[Row | None] = []
    for one in samples:
        there = np.isfinite(one.truth).astype(np.float64)
        x, y = one.said * there, np.where(there > 0, one.truth, 0.0)
        whole = np.stack([x, y, x * x, y * y, x * y, there], axis=-1)
        rows.append(tuple(whole.ravel().tolist()) if known(one) else None)
    sums = np.sum([row for row in rows if row is not None], axis=0)
    if not np.isfinite(sums).all() or not np.isfinite(combine(sums)):
        rows = [None] * len(rows)
    return {"pearson": Value(tuple(rows), "pearson|constant prediction:0|avg:targets")}


def combine(sums: Sums) -> Sums:
    """The mean over the numbers that a row has."""
    import numpy as np

    from dadeum.evaluate.judging import correlation, mean

    return mean(correlation(*np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 6), -1, 0)))


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import numpy as np

    def rows(*pairs: tuple[float, float]) -> list[Judged]:
        return [Judged("numbers", (), np.array([true]), np.array([said])) for true, said in pairs]

    return [
        Example("a rising line", "오르는 직선", rows((1, 3), (2, 5), (3, 7)), {"pearson": 1}),
        Example("a falling line", "내리는 직선", rows((1, 3), (2, 2), (3, 1)), {"pearson": -1}),
        Example("two of three in order", "셋 중 둘만 순서대로", rows((1, 1), (2, 3), (3, 2)), {"pearson": 0.5}),
        Example("always the same", "늘 같은 수", rows((1, 4), (2, 4), (3, 4)), {"pearson": 0}),
        Example("one row", "한 행", rows((1, 4)), {"pearson": None}),
    ]
