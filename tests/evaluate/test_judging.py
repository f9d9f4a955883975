"""What a head decided, and means."""

import numpy as np
import pytest

from dadeum.evaluate.judging import correlation, decided, known, mean
from dadeum.evaluate.metrics import Judged


def test_decisions() -> None:
    assert decided(Judged("class", ("a", "b"), np.array([0.0]), np.array([0.2, 0.8]))).tolist() == [1]
    assert decided(Judged("classes", ("a", "b"), np.zeros(2), np.array([0.5, 0.51]))).tolist() == [0, 1]
    assert decided(Judged("words", ("a", "b"), np.zeros(2), np.array([[1.0, 0.0], [0.0, 1.0]]))).tolist() == [0, 1]
    assert decided(Judged("numbers", (), np.zeros(1), np.array([2.5]))).tolist() == [2.5]
    assert not known(Judged("class", ("a",), np.array([np.nan]), np.ones(1)))
    assert known(Judged("pair", (), np.zeros(0), np.zeros(2)))


def test_means_are_of_what_is_there() -> None:
    assert mean(np.array([1.0, np.nan, 3.0])) == 2
    assert np.isnan(mean(np.array([np.nan])))


def test_a_constant_has_no_correlation_whatever_rounding_leaves() -> None:
    x, y = np.full(1000, 0.1), np.arange(1000.0)
    sums = [np.array(float(of.sum())) for of in (x, y, x * x, y * y, x * y, np.ones(1000))]
    assert correlation(*sums) == 0
    swapped = [sums[i] for i in (1, 0, 3, 2, 4, 5)]
    assert np.isnan(correlation(*swapped))
    assert correlation(*[np.array(float(v)) for v in (10, 20, 30, 120, 60, 5)]) == pytest.approx(1)
