"""Metrics of another package: a value a row, and their mean. What lm-eval aggregates otherwise has no interval of ours."""

from dataclasses import dataclass
from typing import Any, Literal

from dadeum.evaluate.metrics import METRICS, Sums

MEAN = "mean of lm-eval"


@dataclass(frozen=True)
class Mean:
    """The mean of a value a row; a row of statistics is (value, 1)."""

    higher_is_better: bool
    needs: Literal["answer"] = "answer"
    per_token: bool = False
    unit: str = ""

    def combine(self, sums: Sums) -> Sums:
        """The mean."""
        found: Sums = sums[..., 0] / sums[..., 1]
        return found


def member_of(metric: dict[str, Any]) -> Any:
    """What made a metric of an evaluation: a member of the family, or the mean of a package's values."""
    if metric["metric"] == MEAN:
        return Mean(metric["higher_is_better"])
    return METRICS.member(metric["metric"])
