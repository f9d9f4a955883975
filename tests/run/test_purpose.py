"""Head and objective held against each other."""

import pytest

from dadeum.config.experiment import Experiment
from dadeum.config.purpose import PRETRAIN, SFT
from dadeum.core.errors import ConfigError
from dadeum.model.heads import HEADS
from dadeum.run.purpose import objective_of, purpose_of


def experiment(objective: str) -> Experiment:
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
