"""The spread between seeds, as users find it beside the interval."""

from dataclasses import replace
from typing import Any

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.seeds import spread_of, spread_text

TERMS = {"questions_sha256": "q", "targets_sha256": "t", "decoding": {"max_new_tokens": 8}}


def scored(**values: float) -> EvaluationResult:
    metrics = {name: {"value": value, "signature": f"{name}|1"} for name, value in values.items()}
    return EvaluationResult("m", "d", metrics, [], dict(TERMS))


def test_mean_spread_and_ends_of_each_metric() -> None:
    found = spread_of({1: scored(chrf=20.0, ppl=3.0), 2: scored(chrf=26.0), 7: scored(chrf=23.0, ppl=4.0)})
    assert found == {
        "seeds": [1, 2, 7],
        "metrics": {
            "chrf": {"values": {"1": 20.0, "2": 26.0, "7": 23.0}, "mean": 23.0, "sd": 3.0, "low": 20.0, "high": 26.0}
        },
    }
    assert spread_text(found, "chrf") == "±3 over 3 seeds [20, 26]"
    assert spread_text(found, "ppl") == spread_text(None, "chrf") == ""


def test_it_is_said_in_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert spread_text(spread_of({1: scored(f=0.5), 2: scored(f=0.7)}), "f") == "씨앗 2개에서 ±0.14 [0.5, 0.7]"


def test_one_seed_has_no_spread() -> None:
    found = spread_of({5: scored(f=0.5)})
    assert found["metrics"]["f"]["sd"] is None and spread_text(found, "f") == ""
    assert spread_of({}) == {"seeds": [], "metrics": {}}


@pytest.mark.parametrize("change", [{"questions_sha256": "x"}, {"targets_sha256": "x"}, {"decoding": {}}])
def test_seeds_scored_on_unlike_terms_are_refused(change: dict[str, Any]) -> None:
    other = scored(f=0.5)
    other = replace(other, environment={**other.environment, **change})
    with pytest.raises(ArtifactError, match="seeds 1 and 2 were scored with unlike "):
        spread_of({1: scored(f=0.5), 2: other})


def test_a_metric_of_unlike_signatures_has_no_spread() -> None:
    other = scored(f=0.5)
    other.metrics["f"]["signature"] = "f|2"
    assert spread_of({1: scored(f=0.5), 2: other})["metrics"] == {}
