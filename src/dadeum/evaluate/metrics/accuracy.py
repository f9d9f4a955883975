"""Share of rows whose labels are all right; of labelled words the share of these; of questions that of right choices."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Judged, Row, Sums, Value

needs: Literal["labels"] = "labels"
of = ("class", "classes", "words", "choice")
alone = True
per_token = False
higher_is_better = True
unit = "0-1"


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
