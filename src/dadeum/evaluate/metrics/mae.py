"""Mean absolute error of predicted numbers, over all rows and numbers that are known."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Judged, Sums, Value

needs: Literal["labels"] = "labels"
of = ("numbers",)
alone = True
per_token = False
higher_is_better = False
unit = "as the labels"


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
