"""The permutation test against all swaps there are, and against what p promises."""

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.stats  # type: ignore[import-untyped]

from dadeum.evaluate import statistics
from dadeum.evaluate.metrics import auroc, perplexity, rouge
from dadeum.evaluate.permutation import swapped
from dadeum.evaluate.statistics import Column, Units, paired, whole

DRAW = np.random.default_rng(5)
FIRST = np.stack([DRAW.uniform(5, 40, 9), DRAW.integers(3, 12, 9).astype(float)], axis=1)
OTHER = np.stack([FIRST[:, 0] * DRAW.uniform(0.6, 1.1, 9), FIRST[:, 1]], axis=1)
TRUE = DRAW.integers(0, 2, 9).astype(float)
SAID, BETTER = (
    np.stack([1 - p, p, 1 - TRUE, TRUE], axis=1) for p in (DRAW.uniform(0, 1, 9), (DRAW.uniform(0, 1, 9) + TRUE) / 2)
)


def exact(metric: Any, a: Any, b: Any, groups: list[int]) -> float:
    """Of all swaps the share that differs at least as much."""
    real = abs(whole(Column(metric, b)) - whole(Column(metric, a)))
    found = []
    for coins in itertools.product((False, True), repeat=max(groups) + 1):
        coin = np.array(coins)[groups][:, None]
        one, other = np.where(coin, b, a), np.where(coin, a, b)
        found.append(abs(whole(Column(metric, other)) - whole(Column(metric, one))) >= real - 1e-12)
    return float(np.mean(found))


@pytest.mark.parametrize("groups", [list(range(9)), [0, 0, 1, 2, 2, 2, 3, 4, 5]])
@pytest.mark.parametrize(("metric", "a", "b"), [(perplexity, FIRST, OTHER), (auroc, SAID, BETTER)])
def test_p_is_the_share_of_all_swaps(metric: Any, a: Any, b: Any, groups: list[int]) -> None:
    units = Units(9, [str(group) for group in groups])
    (p,) = swapped([(Column(metric, a), Column(metric, b))], units, 20_000, 0)
    assert p == pytest.approx(exact(metric, a, b, groups), abs=0.02)


def test_p_of_means_is_scipys() -> None:
    scores = DRAW.beta(1.2, 5, 40)
    rows = [[(float(x), 1.0) for x in column] for column in (scores, scores + DRAW.normal(0.02, 0.05, 40))]
    by_scipy = scipy.stats.permutation_test(
        tuple(np.array(r)[:, 0] for r in rows),
        lambda x, y: np.mean(y - x),
        permutation_type="samples",
        n_resamples=10_000,
        rng=np.random.default_rng(0),
    )
    found = paired(rows[0], rows[1], rouge, draws=10_000, seed=0)
    assert found.p == pytest.approx(float(by_scipy.pvalue), abs=0.015)


def test_equal_models_have_p_1_and_no_p_is_0() -> None:
    rows = [(float(x), 1.0) for x in DRAW.uniform(0, 1, 30)]
    assert paired(rows, rows, rouge, draws=200, seed=1).p == 1.0
    much = [(x + 1.0, n) for x, n in rows]
    assert paired(rows, much, rouge, draws=200, seed=1).p == pytest.approx(1 / 201)


def test_rows_of_one_context_are_swapped_together() -> None:
    """Ten rows that all say the same are one witness."""
    a, b = [(0.1, 1.0)] * 10, [(0.3, 1.0)] * 10
    assert paired(a, b, rouge, draws=500, seed=0).p == pytest.approx(1 / 501, abs=0.01)
    assert paired(a, b, rouge, draws=500, seed=0, groups=["one"] * 10).p == 1.0


def test_a_seed_throws_the_same_coins_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(Column(perplexity, FIRST), Column(perplexity, OTHER)), (Column(auroc, SAID), Column(auroc, BETTER))]
    at_once = swapped(pairs, Units(9), 300, 7)
    assert swapped(pairs[1:], Units(9), 300, 7) == at_once[1:]
    assert swapped(pairs, Units(9), 300, 8) != at_once
    monkeypatch.setattr(statistics, "CHUNK", 25)
    assert len(swapped(pairs, Units(9), 300, 7)) == 2


def test_p_is_small_as_often_as_it_says() -> None:
    """Of two models that are the same, p is below 0.1 in a tenth of the test sets."""
    generator = np.random.default_rng(2)
    sets = []
    for _ in range(600):
        a, b = (Column(rouge, np.stack([side, np.ones(40)], axis=1)) for side in generator.beta(1.2, 5, (2, 40)))
        sets.append((a, b))
    found = np.array(swapped(sets, Units(40), 1000, 3))
    assert 0.07 <= (found <= 0.1).mean() <= 0.13
