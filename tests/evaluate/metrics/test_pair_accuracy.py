"""The better answer has the higher score; a tie counts half."""

import numpy as np
import pytest

from dadeum.evaluate.metrics import Judged, pair_accuracy
from dadeum.evaluate.statistics import total


def test_rows() -> None:
    samples = [Judged("pair", (), np.zeros(0), np.array(said)) for said in ([2.0, 1.0], [0.0, 0.0], [-3.0, 1.0])]
    rows = [row for row in pair_accuracy.score(pair_accuracy.Settings(), samples)["pair_accuracy"].rows if row]
    assert rows == [(1.0, 1.0), (0.5, 1.0), (0.0, 1.0)]
    assert total(pair_accuracy, rows) == pytest.approx(0.5)
