"""Pearson's correlation against scipy, of one number and of several."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from dadeum.evaluate.metrics import Judged, pearson
from dadeum.evaluate.statistics import interval, paired, total
from tests.evaluate.labels import scores


def rows(samples: list[Judged]) -> list[tuple[float, ...]]:
    return [row for row in pearson.score(pearson.Settings(), samples)["pearson"].rows if row is not None]


def test_of_one_number_and_the_mean_over_several() -> None:
    samples = scores(50, size=3)
    true, said = (np.stack(x) for x in zip(*((j.truth, j.said) for j in samples), strict=True))
    expected = [pearsonr(true[:, c], said[:, c]).statistic for c in range(3)]
    assert total(pearson, rows(samples)) == pytest.approx(np.mean(expected))
    assert total(pearson, rows(scores(50))) == pytest.approx(pearsonr(*_columns(scores(50))).statistic)


def _columns(samples: list[Judged]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([j.truth for j in samples]), np.concatenate([j.said for j in samples])


def test_what_is_not_known_does_not_count() -> None:
    samples = scores(30, size=2)
    gaps = [Judged(j.kind, (), np.where([i % 3 == 0, False], np.nan, j.truth), j.said) for i, j in enumerate(samples)]
    true, said = (np.stack(x) for x in zip(*((j.truth, j.said) for j in gaps), strict=True))
    there = np.isfinite(true[:, 0])
    expected = (pearsonr(true[there, 0], said[there, 0]).statistic + pearsonr(true[:, 1], said[:, 1]).statistic) / 2
    assert total(pearson, rows(gaps)) == pytest.approx(expected)


@pytest.mark.parametrize("constant", [0.1, 1.0 / 3, 4.87])
def test_a_constant_guess_has_none_of_it(constant: float) -> None:
    samples = scores(50)
    same = [Judged("numbers", (), j.truth, np.array([constant])) for j in samples]
    assert total(pearson, rows(same)) == 0
    assert interval(rows(same), pearson, draws=100, seed=0)[:2] == (0, 0)
    found = paired(rows(same), rows(samples), pearson, draws=200, seed=0)
    assert found.low > 0 and found.losses is None
    assert rows([Judged("numbers", (), np.array([3.0]), j.said) for j in samples]) == []
