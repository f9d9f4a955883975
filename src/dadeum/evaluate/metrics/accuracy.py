"""Share of rows whose labels are all right; of labelled words the share of these; of questions that of right choices."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Judged, Row, Sums, Value

needs: Literal["labels"] = "labels"
of = ("class", "classes", "words", "choice")
alone = True
per_token = False
higher_is_better = True
floored = False
unit = "0-1"
keys = {
    "accuracy": ("share of rows, words or choices that are right", "맞힌 행, 낱말, 선택의 비율"),
}


class Settings(MemberSettings):
    """Accuracy."""

    type: Literal["accuracy"] = "accuracy"


def score(settings: Settings, samples: Sequence[Judged]) -> dict[str, Value]:
    """`accuracy`."""
    from dadeum.evaluate.judging import decided, known

    rows: list[Row | None] = []
    for one in samples:
        right = decided(one) == one.truth
        if one.kind != "words":
            right = right.all(keepdims=True)
        rows.append((float(right.sum()), float(len(right))) if known(one) else None)
    return {"accuracy": Value(tuple(rows), "accuracy|agg:mean")}


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import numpy as np

    def row(true: int, said: int) -> Judged:
        return Judged("class", ("나쁨", "좋음"), np.array([float(true)]), np.eye(2)[said])

    several = Judged("classes", ("가", "나"), np.array([1.0, 0.0]), np.array([0.9, 0.8]))
    return [
        Example("all right", "모두 맞음", [row(0, 0), row(1, 1)], {"accuracy": 1}),
        Example("all wrong", "모두 틀림", [row(0, 1), row(1, 0)], {"accuracy": 0}),
        Example(
            "one of four wrong", "넷 중 하나 틀림", [row(0, 0), row(1, 1), row(1, 1), row(1, 0)], {"accuracy": 0.75}
        ),
        Example("one class too many: the row is wrong", "클래스 하나를 더 말하면 틀린 행", [several], {"accuracy": 0}),
    ]
