"""Intervals against scipy's, against a bootstrap written out by hand, and against the truth that they promise to cover."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.stats  # type: ignore[import-untyped]

from dadeum.evaluate import statistics
from dadeum.evaluate.metrics import Sums, auroc, chrf, perplexity, rouge
from dadeum.evaluate.statistics import Column, Units, bca, interval, left_out, paired, reach, resampled, table, whole

DRAW = np.random.default_rng(3)
FIRST = [(float(n), float(t)) for n, t in zip(DRAW.uniform(5, 40, 30), DRAW.integers(3, 12, 30), strict=True)]
OTHER = [(n * 0.8 + 0.1 * i, t) for i, (n, t) in enumerate(FIRST)]
# A class that is told well and one that is told less well: probabilities of two classes, and which is true.
SAID = [
    (1 - p, p, float(not t), float(t)) for p, t in zip(DRAW.uniform(0, 1, 30), DRAW.integers(0, 2, 30), strict=True)
]
BETTER = [(1 - q, q, no, yes) for (_, p, no, yes) in SAID for q in [(p + yes) / 2]]


def _exp(rows: npt.NDArray[np.float64]) -> Any:
    return np.exp(rows[..., 0].sum(axis=1) / rows[..., 1].sum(axis=1))


def _oracle(rows: tuple[Any, ...], statistic: Callable[..., Any], found: Sums) -> tuple[float, float]:
    """What scipy makes of the very same resamples, at the level that 30 rows are given."""
    given = type("Given", (), {"bootstrap_distribution": found})()
    made = scipy.stats.bootstrap(
        rows,
        statistic,
        paired=True,
        n_resamples=0,
        bootstrap_result=given,
        method="BCa",
        vectorized=False,
        confidence_level=2 * scipy.stats.norm.cdf(reach(30)) - 1,
    )
    return float(made.confidence_interval.low), float(made.confidence_interval.high)


def test_an_interval_is_scipys_bca() -> None:
    column, units = Column(perplexity, table(FIRST)), Units(30)
    found = resampled([column], units, 3000, 9)[0]
    nll, tokens = column.rows.T
    oracle = _oracle((nll, tokens), lambda n, t: math.exp(n.sum() / t.sum()), found)
    ours = bca(found, whole(column), left_out(column, units), 30)
    assert (ours.low, ours.high) == pytest.approx(oracle, rel=1e-9)
    assert (ours.how, ours.lost) == ("bca", 0)
    assert interval(FIRST, perplexity, draws=3000, seed=9) == ours
    plain = tuple(np.quantile(found, (0.025, 0.975)))
    assert abs(ours.low - plain[0]) > 1e-3 * abs(ours.high - ours.low)  # it is no percentile interval


@pytest.mark.parametrize(("metric", "first", "other"), [(perplexity, FIRST, OTHER), (auroc, SAID, BETTER)])
def test_a_paired_difference_is_scipys_bca(metric: Any, first: Any, other: Any) -> None:
    """Also of what is no function of sums."""
    a, b, units = Column(metric, table(first)), Column(metric, table(other)), Units(30)
    of_a, of_b = resampled([a, b], units, 2000, 4)
    both = np.concatenate([a.rows, b.rows], axis=1).T
    size = a.rows.shape[1]

    def by_hand(*columns: Any) -> float:
        rows = np.stack(columns, axis=1)
        return whole(Column(metric, rows[:, size:])) - whole(Column(metric, rows[:, :size]))

    oracle = _oracle(tuple(both), by_hand, of_b - of_a)
    found = paired(first, other, metric, draws=2000, seed=4)
    assert (found.low, found.high) == pytest.approx(oracle, rel=1e-9)
    assert found.how == "bca" and found.difference == pytest.approx(by_hand(*both))


def test_few_rows_reach_as_far_as_students_t() -> None:
    for units in (6, 10, 60, 500):
        by_scipy = scipy.stats.t.ppf(0.975, units - 1) * math.sqrt(units / (units - 1))
        assert reach(units) == pytest.approx(by_scipy, abs=0.01)
    assert reach(10**6) == pytest.approx(scipy.stats.norm.ppf(0.975), abs=1e-5)
    assert reach(1) == reach(2) > reach(3) > reach(4)


def test_ratios_of_sums_are_recomputed_for_each_draw() -> None:
    generator = np.random.default_rng(9)
    drawn = generator.integers(0, 30, size=(400, 30))
    by_hand = _exp(np.array(FIRST)[drawn])
    assert resampled([Column(perplexity, table(FIRST))], Units(30), 400, 9)[0] == pytest.approx(by_hand)


def test_rows_of_one_context_are_drawn_together() -> None:
    """Each row four times over knows no more than once: the interval of the contexts stays, that of the rows shrinks."""
    four, groups = [row for row in FIRST for _ in range(4)], [f"g{i // 4}" for i in range(120)]
    once = interval(FIRST, perplexity, draws=2000, seed=1)
    by_group = interval(four, perplexity, draws=2000, seed=1, groups=groups)
    by_row = interval(four, perplexity, draws=2000, seed=1)
    assert (by_group.low, by_group.high) == pytest.approx((once.low, once.high))
    assert by_row.high - by_row.low < 0.7 * (once.high - once.low)
    twice, names = [row for row in SAID for _ in range(2)], [f"g{i // 2}" for i in range(60)]
    mine, theirs = (
        interval(twice, auroc, draws=400, seed=1, groups=names),
        interval(SAID, auroc, draws=400, seed=1),
    )
    assert (mine.low, mine.high) == pytest.approx((theirs.low, theirs.high))


def test_units_are_rows_where_no_context_is_shared() -> None:
    assert not Units(3).grouped and not Units(3, [None, None, None]).grouped and not Units(3, ["a", "b", None]).grouped
    mixed = Units(5, ["a", None, "a", "1", None])
    assert (mixed.grouped, mixed.count) == (True, 4)
    assert mixed.sums(np.array([[1.0], [2.0], [4.0], [8.0], [16.0]])).ravel().tolist() == [5.0, 2.0, 8.0, 16.0]


def test_wins_are_counted_the_way_that_is_better() -> None:
    up = paired([(0.0, 1.0), (1.0, 1.0), (0.5, 1.0)], [(1.0, 1.0), (1.0, 1.0), (0.0, 1.0)], rouge, draws=100, seed=0)
    assert (up.wins, up.ties, up.losses, up.n) == (1, 1, 1, 3)
    down = paired([(4.0, 2.0), (8.0, 2.0)], [(2.0, 2.0), (2.0, 2.0)], perplexity, draws=100, seed=0)
    assert (down.wins, down.losses) == (2, 0)
    assert down.clear and down.high < 0


def test_a_seed_draws_the_same_rows_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(seed: int) -> Sums:
        return resampled([Column(perplexity, table(FIRST))], Units(30), 250, seed)[0]

    all_at_once = found(5)
    assert np.array_equal(all_at_once, found(5)) and not np.array_equal(all_at_once, found(6))
    by_hand = interval(SAID, auroc, draws=200, seed=2)
    monkeypatch.setattr(statistics, "CHUNK", 90)  # three draws at once
    assert found(5) == pytest.approx(all_at_once)
    assert interval(SAID, auroc, draws=200, seed=2) == by_hand
    monkeypatch.setattr(statistics, "KEPT", 0)  # drawn anew for each metric
    assert found(5) == pytest.approx(all_at_once)


def test_columns_together_are_as_each_alone() -> None:
    columns = [Column(perplexity, table(FIRST)), Column(auroc, table(SAID)), Column(rouge, table(OTHER))]
    together = resampled(columns, Units(30), 200, 3)
    for column, found in zip(columns, together, strict=True):
        assert found == pytest.approx(resampled([column], Units(30), 200, 3)[0])


def test_blocks_stand_for_units_where_these_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row for row in SAID for _ in range(20)]
    column, units = Column(auroc, table(rows)), Units(600)
    monkeypatch.setattr(statistics, "BLOCKS", 100)
    assert len(left_out(column, units)) == 100


class Mean:
    """A mean of what is given."""

    higher_is_better = True

    @staticmethod
    def combine(sums: Sums) -> Sums:
        found: Sums = sums[..., 0] / sums[..., 1]
        return found


def test_intervals_of_what_never_differs_are_said_to_be_none() -> None:
    same = paired(FIRST, FIRST, perplexity, draws=100, seed=1)
    assert (same.difference, same.low, same.high, same.ties, same.how) == (0.0, 0.0, 0.0, 30, "alike")
    assert not same.clear
    always = paired([(0.2, 1.0)] * 8, [(0.3, 1.0)] * 8, rouge, draws=100, seed=1)
    assert always.how == "alike" and always.low == pytest.approx(0.1) and not always.clear
    assert interval([(0.5, 1.0)], rouge, draws=100, seed=1) == (0.5, 0.5, "alike", 0)


def test_what_cannot_be_corrected_is_a_percentile_interval() -> None:
    found = np.linspace(1, 2, 101)
    jack = np.linspace(0, 1, 20)
    ends = (1.025, 1.975)
    for value, left in ((0.5, jack), (2.5, jack), (1.5, np.array([1.0, np.nan]))):  # beside all resamples; no value
        made = bca(found, value, left, 10**6)
        assert made.how == "percentile" and (made.low, made.high) == pytest.approx(ends)
    skewed = np.concatenate([np.zeros(400), [-9.0]])
    made = bca(np.concatenate([np.full(99, 1.0), [2.0]]), 1.9, skewed, 10**6)
    assert made.how in ("bca", "percentile") and made.low <= made.high


def test_resamples_without_a_value_are_counted() -> None:
    rows = [(0.2, 0.8, 0.0, 1.0), (0.4, 0.6, 0.0, 1.0), (0.9, 0.1, 1.0, 0.0), (0.3, 0.7, 1.0, 0.0)]
    found = interval(rows, auroc, draws=400, seed=0)
    assert 20 < found.lost < 200 and 0 <= found.low <= found.high <= 1
    nothing = interval(rows[:2], auroc, draws=100, seed=0)
    assert nothing.lost == 100 and nothing.how == "alike"


def test_unlike_rows_are_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="30 rows against 29"):
        paired(FIRST, OTHER[1:], perplexity, draws=100, seed=1)
    with pytest.raises(ValueError, match="no rows"):
        interval([], chrf, draws=100, seed=1)


def covered(kind: str, n: int, sets: int, draws: int, seed: int) -> tuple[float, float]:
    """Of so many test sets of `n` rows the share whose interval holds the truth: of one model's value, of a difference."""
    generator = np.random.default_rng(seed)
    if kind == "mean":  # a score from 0 to 1, most near 0; the other model's is related
        one = generator.beta(1.2, 5, (sets, n))
        both = [one, (one + generator.beta(1.6, 5, (sets, n))) / 2]
        rows = [np.stack([x, np.ones_like(x)], axis=-1) for x in both]
        truth = (1.2 / 6.2, (1.6 / 6.6 - 1.2 / 6.2) / 2)
    else:  # a loss a token, over answers of unlike length
        tokens = generator.integers(3, 40, (sets, n)).astype(float)
        losses = generator.gamma(3, 0.7, (sets, n))
        rows = [
            np.stack([tokens * x, tokens], axis=-1) for x in (losses, (losses + generator.gamma(3, 0.6, (sets, n))) / 2)
        ]
        truth = (2.1, (1.8 - 2.1) / 2)
    units = Units(n)
    columns = [[Column(Mean, rows[m][s]) for s in range(sets)] for m in (0, 1)]
    found = resampled([*columns[0], *columns[1]], units, draws, seed)
    held = np.zeros(2)
    for a, b, of_a, of_b in zip(*columns, found[:sets], found[sets:], strict=True):
        left = [left_out(column, units) for column in (a, b)]
        alone = bca(of_a, whole(a), left[0], n)
        against = bca(of_b - of_a, whole(b) - whole(a), left[1] - left[0], n)
        held += alone.low <= truth[0] <= alone.high, against.low <= truth[1] <= against.high
    return float(held[0] / sets), float(held[1] / sets)


@pytest.mark.parametrize(("kind", "n"), [("mean", 80), ("ratio", 80)])
def test_intervals_cover_the_truth(kind: str, n: int) -> None:
    """The same resamples serve all sets: the sets are what is independent."""
    assert all(0.93 <= share <= 0.97 for share in covered(kind, n, 2000, 1000, 0))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mean", "ratio"])
@pytest.mark.parametrize("n", [60, 80, 100])
def test_intervals_cover_the_truth_with_all_draws(kind: str, n: int) -> None:
    assert all(0.93 <= share <= 0.97 for share in covered(kind, n, 2000, 10_000, 1))
