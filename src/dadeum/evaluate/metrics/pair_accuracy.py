"""Share of pairs in which the better answer gets the higher score; a tie counts half."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Judged, Sums, Value

needs: Literal["labels"] = "labels"
of = ("pair",)
alone = True
per_token = False
higher_is_better = True
unit = "0-1"


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
