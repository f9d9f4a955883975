"""The mean of another package's values, by the contract of a metric."""

import numpy as np

from dadeum.evaluate.harness_metric import MEAN, Mean, member_of
from dadeum.evaluate.metrics import METRICS


def test_it_is_a_mean_of_any_sums() -> None:
    assert Mean(True).combine(np.array([[3.0, 4.0], [1.0, 2.0]])).tolist() == [0.75, 0.5]


def test_who_made_a_metric() -> None:
    assert member_of({"metric": MEAN, "higher_is_better": False}) == Mean(False)
    assert member_of({"metric": "chrf"}) is METRICS.member("chrf")
