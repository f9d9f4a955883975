"""Root of the mean squared error of predicted numbers, over all rows and numbers that are known."""

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
    "rmse": ("root of the mean squared distance", "평균 제곱 거리의 제곱근"),
}


class Settings(MemberSettings):
    """Root of the mean squared error."""

    type: Literal["rmse"] = "rmse"


def score(settings: Settings, samples: Sequence[Judged]) -> dict[str, Value]:
    """`rmse`."""
    from dadeum.evaluate.judging import errors

    return {"rmse": Value(errors(samples, 2), "rmse|agg:all numbers")}


def combine(sums: Sums) -> Sums:
    """Root of the mean squared error."""
    import numpy as np

    found: Sums = np.sqrt(sums[..., 0] / sums[..., 1])
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import numpy as np

    def rows(*pairs: tuple[float, float]) -> list[Judged]:
        return [Judged("numbers", (), np.array([true]), np.array([said])) for true, said in pairs]

    return [
        Example("all right", "모두 맞음", rows((1, 1), (2, 2)), {"rmse": 0}),
        Example("off by 3 and by 4", "3과 4만큼 어긋남", rows((1, 4), (2, -2)), {"rmse": 12.5**0.5}),
    ]
