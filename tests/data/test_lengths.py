"""Lengths against figures worked out by hand and by a plain packer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dadeum.data.lengths import BINS, Lengths, fitted, forecast, histogram, packed_rows
from dadeum.data.render import Sample
from dadeum.data.shape import chop

MANY = st.lists(st.integers(1, 60), min_size=1, max_size=80).map(lambda found: np.array(found, np.int64))


def _of(*values: int) -> Lengths:
    found = Lengths()
    for value in values:
        found.add(value)
    return found


def test_facts() -> None:
    facts = _of(*range(1, 101)).facts()
    assert facts["quantiles"] == {"0.1": 10, "0.5": 50, "0.9": 90, "0.99": 99}
    assert (facts["samples"], facts["total"], facts["shortest"], facts["longest"]) == (100, 5050, 1, 100)
    assert facts["mean"] == 50.5
    assert _of().facts() == {}


def test_histogram_takes_the_tail_together() -> None:
    bins = histogram(np.array([*[5] * 30, *[12] * 60, *[95] * 10, 5000], np.int64))
    assert bins[0] == {"from": 0, "to": 9, "count": 30} and bins[1] == {"from": 10, "to": 19, "count": 60}
    assert bins[-2] == {"from": 90, "to": 99, "count": 10} and bins[-1] == {"from": 100, "to": None, "count": 1}
    assert histogram(np.array([700, 701], np.int64)) == [{"from": 700, "to": 799, "count": 2}]


@given(MANY)
def test_histogram_counts_every_sample_once(values: "np.typing.NDArray[np.int64]") -> None:
    bins = histogram(values)
    assert sum(entry["count"] or 0 for entry in bins) == len(values) and len(bins) <= BINS + 1
    for entry in bins:
        low, high = entry["from"], entry["to"]
        assert low is not None and entry["count"] == sum(low <= v <= (10**9 if high is None else high) for v in values)


def test_fitted_by_hand() -> None:
    values = np.array([3, 10, 11, 25], np.int64)
    assert fitted(values, 10, "drop").tolist() == [3, 10]
    assert fitted(values, 10, "cut").tolist() == [3, 10, 10, 10]
    assert fitted(values, 10, "chop").tolist() == [3, 10, 6, 5, 9, 8, 8]


@given(st.integers(1, 300), st.integers(8, 40))
@settings(max_examples=60)
def test_fitted_chops_as_the_format_stage_does(length: int, limit: int) -> None:
    sample = Sample(np.zeros(length, np.int32), np.ones(length, np.float32), length)
    ours = fitted(np.array([length], np.int64), limit, "chop")
    assert sorted(ours.tolist()) == sorted(len(part.input_ids) for part in chop(sample, limit))


@pytest.mark.parametrize(
    ("values", "limit", "rows"),
    [([], 10, 0), ([10], 10, 1), ([5, 5, 5], 10, 2), ([7, 6, 4, 3], 10, 2), ([3] * 7, 10, 3), ([9, 9, 1, 1], 10, 2)],
)
def test_packed_rows_by_hand(values: list[int], limit: int, rows: int) -> None:
    assert packed_rows(np.array(values, np.int64), limit) == rows


def _packed_one_by_one(values: list[int], limit: int) -> int:
    free: list[int] = []
    for value in sorted(values, reverse=True):
        fits = [at for at, room in enumerate(free) if room >= value]
        if fits:
            free[min(fits, key=free.__getitem__)] -= value
        else:
            free.append(limit - value)
    return len(free)


@given(MANY)
def test_packed_rows_are_those_of_a_packer_that_goes_one_by_one(values: "np.typing.NDArray[np.int64]") -> None:
    rows = packed_rows(values, 60)
    assert rows == _packed_one_by_one(values.tolist(), 60) and rows * 60 >= values.sum()


def test_forecast() -> None:
    values = np.array([100, 600, 1500], np.int64)
    small, large = forecast(values, (512, 1024), "cut")
    assert (small["longer"], small["share"], small["lost_tokens"]) == (2, round(2 / 3, 6), 88 + 988)
    assert (large["longer"], large["lost_tokens"], large["packed_rows"]) == (1, 476, 2)
    assert forecast(values, (512,), "chop")[0]["lost_tokens"] == 0
    assert forecast(values, (512,), "drop")[0]["tokens"] == 100
