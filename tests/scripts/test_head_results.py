"""The page of heads on real data: what it claims, and that a claim that does not hold is found."""

from typing import Any

import pytest

from dadeum.config.experiment import Experiment
from dadeum.config.yaml import parse_yaml
from scripts import head_results as results


def comparison(low: float, name: str) -> dict[str, Any]:
    metric = {
        "name": name,
        "n": 1500,
        "higher_is_better": True,
        "values": {"base": 0.5, "tuned": 0.8},
        "intervals": {"base": [0.4, 0.6], "tuned": [0.75, 0.85]},
        "differences": {"tuned": {"difference": 0.3, "low": low, "high": 0.4}},
    }
    return {"metrics": [metric]}


def test_a_claim_is_the_whole_interval() -> None:
    case = results.CASES[2]
    assert case.claims == ("pearson",)
    assert results.beaten(case, comparison(0.01, "pearson")) == []
    assert results.beaten(case, comparison(0.0, "pearson")) == ["pearson"]


def test_the_page_shows_figures_and_confusion() -> None:
    tuned = {"confusion": {"h": {"names": ["bad", "good"], "counts": [[700, 50], [60, 1690]]}}}
    said = results.page(["\n".join(results.lines(results.CASES[2], comparison(0.2, "pearson"), tuned))])
    assert "| **pearson** ↑ | 1,500 | 0.5000 | 0.8000 [0.7500, 0.8500] | +0.3000 [+0.2000, +0.4000] |" in said
    assert "| | bad | good |" in said and "| good | 60 | 1,690 |" in said
    assert "The baseline reads nothing" in said


@pytest.mark.parametrize("case", results.CASES, ids=[case.name for case in results.CASES])
def test_settings_are_an_experiment_whose_claims_are_measured(case: results.Case) -> None:
    value = parse_yaml(f"name: {case.name}\nmodel: {{name_or_path: x}}\n{case.settings}", "x.yaml").value
    assert Experiment.model_validate(value).head.type != "causal_lm"
