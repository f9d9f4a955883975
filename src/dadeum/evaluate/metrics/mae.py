"""Mean absolute error of predicted numbers, over all rows and numbers that are known."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Judged, Sums, Value

needs: Literal["labels"] = "labels"
of = ("numbers",)
alone = True
per_token = False
higher_is_better = False
floored = False
unit = "as the labels"
keys = {
    "mae": ("mean distance of what is said from what is true", "말한 수와 참값의 평균 거리"),
}


class Settings(MemberSettings):
    """Mean absolute error."""

    type: Literal["mae"] = "mae"


def score(settings: Settings, samples: Sequence[Judged]) -> dict[str, Value]:
    """`mae`."""
    from dadeum.evaluate.judging import errors

    return {"mae": Value(errors(samples, 1), "mae|agg:all numbers")}


def combine(sums: Sums) -> Sums:
    """Mean absolute error."""
    found: Sums = sums[..., 0] / sums[..., 1]
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import numpy as np

    def rows(*pairs: tuple[float, float]) -> list[Judged]:
        return [Judged("numbers", (), np.array([true]), np.array([said])) for true, said in pairs]

    return [
        Example("all right", "모두 맞음", rows((1, 1), (2, 2)), {"mae": 0}),
        Example("off by 1 and by 2", "1과 2만큼 어긋남", rows((1, 2), (2, 4)), {"mae": 1.5}),
        Example(
            "a row without a number does not count",
            "수가 없는 행은 세지 않음",
            rows((float("nan"), 9), (2, 4)),
            {"mae": 2},
        ),
    ]
