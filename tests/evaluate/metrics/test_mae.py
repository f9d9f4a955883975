"""The mean absolute error by hand; numbers that are not known do not count."""

import numpy as np
import pytest

from dadeum.evaluate.metrics import Judged, mae
from dadeum.evaluate.statistics import total
from tests.evaluate.labels import scores


def test_over_all_numbers_that_are_known() -> None:
    samples = scores(30, size=2)
    expected = np.abs(np.stack([j.said - j.truth for j in samples])).mean()
    rows = [row for row in mae.score(mae.Settings(), samples)["mae"].rows if row is not None]
    assert total(mae, rows) == pytest.approx(expected)
    half = Judged("numbers", (), np.array([np.nan, 1.0]), np.array([9.0, 3.0]))
    none = Judged("numbers", (), np.array([np.nan, np.nan]), np.array([9.0, 3.0]))
    assert mae.score(mae.Settings(), [half, none])["mae"].rows == ((2.0, 1.0), None)
