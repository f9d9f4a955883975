"""All metrics by the same draws are what each is by its own."""

from collections.abc import Sequence
from typing import Any

import pytest

from dadeum.evaluate.defaults import FEW
from dadeum.evaluate.held import Measured, groups_of, hold, measured
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.statistics import interval, paired, total

ROWS = [(float(i % 7) + 1, 2.0) for i in range(24)]
OTHER = [(float(i % 5) + 1, 2.0) for i in range(24)]
METRICS = {"rougeL": "rouge", "perplexity": "perplexity"}


def result(rows: Sequence[tuple[float, ...]], lacks: int | None = None, tokenizer: str = "t") -> EvaluationResult:
    metrics = {name: {"metric": member, "value": 0.0, "signature": ""} for name, member in METRICS.items()}
    samples: list[dict[str, Any]] = [
        {"statistics": {name: list(row) for name in METRICS if not (name == "rougeL" and place == lacks)}}
        | ({"group": f"g{place // 2}"} if place < 4 else {})
        for place, row in enumerate(rows)
    ]
    return EvaluationResult("m", "d", metrics, samples, {"tokenizer_sha256": tokenizer})


def test_together_is_as_alone() -> None:
    results = [result(ROWS), result(OTHER, lacks=3)]
    metrics, groups = measured(results), groups_of(results[0])
    assert [(one.name, len(one.places)) for one in metrics] == [("rougeL", 23), ("perplexity", 24)]
    found = hold(metrics, ("a", "b"), groups, draws=300, seed=2, swaps=300)
    for one in metrics:
        kept = [groups[place] for place in one.places]
        by_hand = paired(one.kept[0], one.kept[1], one.member, draws=300, seed=2, groups=kept)
        assert found[one.name].differences == {"b": by_hand}
        assert found[one.name].values["b"] == pytest.approx(total(one.member, one.kept[1]))
        assert found[one.name].intervals["a"] == interval(one.kept[0], one.member, draws=300, seed=2, groups=kept)
    assert found["perplexity"].units == 22 and found["rougeL"].units == 22


def test_unlike_tokenizers_have_values_and_no_difference() -> None:
    metrics = measured([result(ROWS), result(OTHER, tokenizer="u")])
    found = hold(metrics, ("a", "b"), [None] * 24, draws=100, seed=0, swaps=100)["perplexity"]
    assert set(found.values) == set(found.intervals) == {"a", "b"} and not found.differences


def test_too_few_units_have_values_alone() -> None:
    metrics = [one.of(set(range(FEW + 1))) for one in measured([result(ROWS), result(OTHER)])]
    rows = hold(metrics, ("a", "b"), [None] * 24, draws=100, seed=0, least=FEW)["rougeL"]
    groups = hold(metrics, ("a", "b"), ["one"] * 12, draws=100, seed=0, least=FEW)["rougeL"]
    assert rows.differences["b"].n == FEW + 1 and rows.differences["b"].p is None
    assert groups.values == rows.values and not groups.differences and not groups.intervals


def test_rows_that_no_model_shares_are_no_metric() -> None:
    assert "rougeL" not in {one.name for one in measured([result(ROWS[:1], lacks=0), result(OTHER[:1])])}
    nothing = Measured("x", None, True, (), ((), ()))
    assert hold([nothing], ("a", "b"), [], draws=100, seed=0) == {}
