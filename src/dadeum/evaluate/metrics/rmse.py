"""Root of the mean squared error of predicted numbers, over all rows and numbers that are known."""

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
