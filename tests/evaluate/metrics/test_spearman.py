"""Spearman's correlation against scipy, whole and resampled, with ties."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from dadeum.evaluate.metrics import Judged, spearman
from dadeum.evaluate.statistics import drawn, table, total
from tests.evaluate.labels import scores


def rows(samples: list[Judged]) -> list[tuple[float, ...]]:
    return [row for row in spearman.score(spearman.Settings(), samples)["spearman"].rows if row is not None]


def by_scipy(samples: list[Judged]) -> float:
    return float(spearmanr([j.truth[0] for j in samples], [j.said[0] for j in samples]).statistic)


def test_whole_and_each_resample() -> None:
    samples = scores(60)
    assert total(spearman, rows(samples)) == pytest.approx(by_scipy(samples))
    times = next(drawn(60, 6, 2))
    for value, often in zip(spearman.value(table(rows(samples)), times), times.astype(int), strict=True):
        again = [j for j, count in zip(samples, often, strict=True) for _ in range(count)]
        assert value == pytest.approx(by_scipy(again))


def test_several_numbers_and_gaps() -> None:
    samples = scores(40, size=2)
    gaps = [Judged(j.kind, (), np.where([False, i % 4 == 0], np.nan, j.truth), j.said) for i, j in enumerate(samples)]
    there = [j for j in gaps if np.isfinite(j.truth[1])]
    second = spearmanr([j.truth[1] for j in there], [j.said[1] for j in there]).statistic
    assert total(spearman, rows(gaps)) == pytest.approx((by_scipy(gaps) + second) / 2)
    same = [Judged("numbers", (), j.truth, np.array([1.5])) for j in scores(20)]
    assert total(spearman, rows(same)) == 0
