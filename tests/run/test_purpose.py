"""Head and objective held against each other."""

from typing import Any

import pytest

from dadeum.config.experiment import Experiment
from dadeum.config.purpose import PRETRAIN, SFT
from dadeum.core.errors import ConfigError
from dadeum.core.settings import MemberSettings
from dadeum.model.heads import HEADS
from dadeum.run.purpose import objective_of, purpose_of
from dadeum.train.objectives import OBJECTIVES


def experiment(objective: Any) -> Experiment:
    values = {"name": "x", "data": {"sources": [{"type": "text", "path": "a.txt"}]}, "train": {"objective": objective}}
    return Experiment.model_validate(values)


def test_auto_is_the_heads_own() -> None:
    assert purpose_of(experiment("auto")) == purpose_of(experiment("sft")) == SFT
    assert objective_of(experiment("auto")).type == "sft"
    assert purpose_of(experiment("pretrain")) == PRETRAIN


def test_an_objective_that_the_head_cannot_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HEADS.member("causal_lm"), "gives", "labels")
    with pytest.raises(
        ConfigError, match=r"train\.objective: 'sft' needs tokens, but head 'causal_lm' gives labels; use"
    ):
        objective_of(experiment("sft"))


def test_what_is_set_of_auto_reaches_the_heads_objective(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or is refused by name: nothing that was set is left out without a word."""
    auto = experiment({"type": "auto", "label_smoothing": 0.1})
    assert objective_of(auto).model_dump() == {"type": "sft", "label_smoothing": 0.1, "neftune_noise_alpha": 0.0}
    monkeypatch.setattr(OBJECTIVES, "settings", lambda name: MemberSettings)
    with pytest.raises(
        ConfigError, match=r"train\.objective\.label_smoothing: objective 'sft', .* has no such setting"
    ):
        objective_of(auto)


@pytest.mark.parametrize(
    ("head", "metrics", "reason"),
    [
        ("causal_lm", ["accuracy"], r"'accuracy' cannot be measured of what the head gives \(tokens\)"),
        (
            "sequence_classification",
            ["accuracy", "rouge"],
            r"'rouge' cannot be measured .* \(class\); expected some of: accuracy, auroc, f1$",
        ),
        ("regression", ["f1"], r"'f1' .* \(numbers\); expected some of: mae, pearson, rmse, spearman$"),
        ("reward", ["accuracy"], r"\(pair\); expected some of: pair_accuracy$"),
    ],
)
def test_a_metric_that_the_head_gives_nothing_for(head: str, metrics: list[str], reason: str) -> None:
    values = {"name": "x", "data": {"sources": [{"type": "text", "path": "a.txt"}]}, "head": head}
    purpose_of(Experiment.model_validate(values))
    with pytest.raises(ConfigError, match=reason):
        purpose_of(Experiment.model_validate({**values, "evaluate": {"metrics": metrics}}))
