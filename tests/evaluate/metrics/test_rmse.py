"""The root of the mean squared error against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error

from dadeum.evaluate.metrics import rmse
from dadeum.evaluate.statistics import total
from tests.evaluate.labels import scores


def test_of_one_number() -> None:
    samples = scores(40)
    rows = [row for row in rmse.score(rmse.Settings(), samples)["rmse"].rows if row is not None]
    true, said = (np.concatenate(x) for x in zip(*((j.truth, j.said) for j in samples), strict=True))
    assert total(rmse, rows) == pytest.approx(root_mean_squared_error(true, said))
