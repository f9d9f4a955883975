"""The bootstrap against one written out by hand."""

import math

import numpy as np
import pytest

from dadeum.evaluate.metrics import chrf, perplexity, rouge
from dadeum.evaluate.statistics import interval, paired, resampled, table

DRAW = np.random.default_rng(3)
FIRST = [(float(n), float(t)) for n, t in zip(DRAW.uniform(5, 40, 30), DRAW.integers(3, 12, 30), strict=True)]
OTHER = [(n * 0.8 + 0.1 * i, t) for i, (n, t) in enumerate(FIRST)]


def test_ratios_of_sums_are_recomputed_for_each_draw() -> None:
    found = paired(FIRST, OTHER, perplexity, draws=400, seed=9)
    generator = np.random.default_rng(9)
    by_hand = []
    for _ in range(400):
        rows = generator.integers(0, 30, size=30)
        value = [math.exp(sum(c[i][0] for i in rows) / sum(c[i][1] for i in rows)) for c in (FIRST, OTHER)]
        by_hand.append(value[1] - value[0])
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(by_hand, (0.025, 0.975))), rel=1e-9)
    whole = [math.exp(sum(n for n, _ in c) / sum(t for _, t in c)) for c in (FIRST, OTHER)]
    assert found.difference == pytest.approx(whole[1] - whole[0])
    assert found.low < found.difference < found.high


def test_wins_are_counted_the_way_that_is_better() -> None:
    up = paired(
        [(0.0, 1.0), (1.0, 1.0), (0.5, 1.0)],
        [(1.0, 1.0), (1.0, 1.0), (0.0, 1.0)],
        rouge,
        draws=100,
        seed=0,
    )
    assert (up.wins, up.ties, up.losses, up.n) == (1, 1, 1, 3)
    down = paired([(4.0, 2.0)], [(2.0, 2.0)], perplexity, draws=100, seed=0)
    assert (down.wins, down.losses) == (1, 0)
    assert down.clear and down.high < 0


def test_a_seed_draws_the_same_rows_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    import dadeum.evaluate.statistics as statistics

    whole = resampled(perplexity, table(FIRST), 250, 5)
    assert np.array_equal(whole, resampled(perplexity, table(FIRST), 250, 5))
    assert not np.array_equal(whole, resampled(perplexity, table(FIRST), 250, 6))
    monkeypatch.setattr(statistics, "CHUNK", 90)  # three draws at once
    assert resampled(perplexity, table(FIRST), 250, 5) == pytest.approx(whole)


def test_the_interval_covers_what_it_promises() -> None:
    """Over many test sets drawn from one population, about 95 % of the intervals hold the true mean."""
    generator = np.random.default_rng(0)
    held = 0
    for trial in range(200):
        rows = [(float(x), 1.0) for x in generator.normal(0.3, 0.2, 60)]
        low, high = interval(rows, rouge, draws=300, seed=trial)
        held += low <= 0.3 <= high
    assert 180 <= held <= 199


def test_equal_models_differ_by_nothing() -> None:
    same = paired(FIRST, FIRST, perplexity, draws=100, seed=1)
    assert (same.difference, same.low, same.high, same.ties) == (0.0, 0.0, 0.0, 30)
    assert not same.clear


def test_unlike_rows_are_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="30 rows against 29"):
        paired(FIRST, OTHER[1:], perplexity, draws=100, seed=1)
    with pytest.raises(ValueError, match="no rows"):
        interval([], chrf, draws=100, seed=1)
