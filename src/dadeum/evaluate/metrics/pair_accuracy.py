"""Share of pairs in which the better answer gets the higher score; a tie counts half."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Judged, Sums, Value

needs: Literal["labels"] = "labels"
of = ("pair",)
alone = True
per_token = False
higher_is_better = True
floored = False
unit = "0-1"
keys = {
    "pair_accuracy": ("share of pairs whose better answer scores higher", "더 나은 답의 점수가 더 높은 쌍의 비율"),
}


class Settings(MemberSettings):
    """Pair accuracy."""

    type: Literal["pair_accuracy"] = "pair_accuracy"


def score(settings: Settings, samples: Sequence[Judged]) -> dict[str, Value]:
    """`pair_accuracy`."""
    rows = tuple((1.0 if a > b else 0.5 if a == b else 0.0, 1.0) for a, b in (one.said.tolist() for one in samples))
    return {"pair_accuracy": Value(rows, "pair_accuracy|ties:half|agg:mean")}


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import numpy as np

    def rows(*pairs: tuple[float, float]) -> list[Judged]:
        return [Judged("pair", (), np.zeros(0), np.array(pair)) for pair in pairs]

    return [
        Example("the better one higher", "더 나은 답이 높음", rows((2, 1), (0, -1)), {"pair_accuracy": 1}),
        Example("the worse one higher", "더 못한 답이 높음", rows((1, 2)), {"pair_accuracy": 0}),
        Example("right, wrong, tied", "맞음, 틀림, 같음", rows((2, 1), (1, 2), (1, 1)), {"pair_accuracy": 0.5}),
    ]
