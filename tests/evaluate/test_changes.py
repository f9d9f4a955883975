"""Where most was gained and lost, and the metrics by category."""

from typing import Any

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.evaluate.changes import MOST, SHOWN, categories, changes, choose
from dadeum.evaluate.defaults import FEW
from dadeum.evaluate.held import groups_of, measured
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.statistics import paired, total

NAMES = ("a", "b")


def result(scores: list[float], categories: list[str | None] | None = None, **more: str) -> EvaluationResult:
    members = {"rougeL": "rouge", "perplexity": "perplexity", **more}
    metrics = {name: {"metric": member, "value": 0.0, "signature": ""} for name, member in members.items()}
    samples: list[dict[str, Any]] = [
        {
            "question": f"q{i}",
            "reference": f"r{i}",
            "prediction": f"p{score}",
            "source_row": 100 + i,
            "statistics": {"rougeL": [score, 1.0], "perplexity": [score, 1.0]},
            **({"category": categories[i]} if categories and categories[i] is not None else {}),
        }
        for i, score in enumerate(scores)
    ]
    return EvaluationResult("m", "d", metrics, samples, {"tokenizer_sha256": "t"})


FIRST = [0.5] * 8
OTHER = [0.5, 0.9, 0.1, 0.6, 0.4, 0.8, 0.7, 0.2]


def found(by: str | None = None) -> dict[str, Any]:
    results = [result(FIRST), result(OTHER)]
    made = changes(measured(results), NAMES, results, by)
    assert made is not None
    return made


def test_the_largest_come_first_and_no_tie_is_shown() -> None:
    made = found()
    assert made["metric"] == "rougeL"
    rows = {kind: [row["row"] for row in made["models"]["b"][kind]] for kind in ("gains", "losses")}
    assert rows == {"gains": [101, 105, 106], "losses": [102, 107, 104]} and SHOWN == 3
    assert made["models"]["b"]["gains"][0] == {
        "row": 101,
        "question": "q1",
        "reference": "r1",
        "values": {"a": 0.5, "b": 0.9},
        "answers": {"a": "p0.5", "b": "p0.9"},
    }


def test_by_a_metric_of_which_less_is_better() -> None:
    made = found("perplexity")
    assert [row["row"] for row in made["models"]["b"]["gains"]] == [102, 107, 104]


def test_models_that_are_the_same_gained_and_lost_nothing() -> None:
    results = [result(FIRST), result(FIRST)]
    made = changes(measured(results), NAMES, results, None)
    assert made == {"metric": "rougeL", "models": {"b": {"gains": [], "losses": []}}}


def test_a_metric_without_values_by_row_is_refused() -> None:
    metrics = measured([result(FIRST), result(OTHER)])
    with pytest.raises(
        ArtifactError, match=r"--by: 'rouge' .* expected one of: rougeL, perplexity; did you mean 'rougeL'"
    ):
        choose(metrics, "rouge")
    assert choose([], None) is None


def test_categories_have_values_and_where_rows_suffice_intervals() -> None:
    kinds = ["민법"] * 14 + ["형법"] * 4 + [None] * 2
    scores = [0.1 * (i % 7) for i in range(20)]
    results = [result(scores, kinds), result([s + 0.05 * (i % 3) for i, s in enumerate(scores)], kinds)]
    metrics = measured(results)
    made = categories(metrics, NAMES, results, groups_of(results[0]), draws=300, seed=5)
    assert made is not None and made["rows"] == {"민법": 14, "형법": 4, "": 2} and made["few"] == FEW
    one = metrics[0]
    civil = made["metrics"]["rougeL"]["민법"]
    by_hand = paired(one.kept[0][:14], one.kept[1][:14], one.member, draws=300, seed=5)
    assert (civil["n"], civil["values"]["b"]) == (14, pytest.approx(total(one.member, one.kept[1][:14])))
    assert (civil["differences"]["b"]["low"], civil["differences"]["b"]["high"]) == (by_hand.low, by_hand.high)
    few = made["metrics"]["rougeL"]["형법"]
    assert few["n"] == 4 and few["differences"] == {} and set(few["values"]) == {"a", "b"}


def test_no_categories_and_too_many() -> None:
    results = [result(FIRST), result(OTHER)]
    assert categories(measured(results), NAMES, results, [None] * 8, draws=100, seed=0) is None
    kinds: list[str | None] = [f"c{i}" for i in range(MOST + 5)]
    results = [result([0.5] * len(kinds), kinds), result([0.6] * len(kinds), kinds)]
    made = categories(measured(results), NAMES, results, [None] * len(kinds), draws=100, seed=0)
    assert made is not None and len(made["rows"]) == MOST and made["left_out"] == 5
