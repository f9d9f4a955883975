"""dadeum.config.train: names and limits of the loop's settings."""

import dataclasses
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from dadeum.config.train import Scheduler, TrainSettings

OURS = {"objective", "total_train_batch_size", "precision"}


def test_other_names_are_those_of_transformers() -> None:
    from transformers import TrainingArguments
    from transformers.trainer_utils import SchedulerType

    theirs = {field.name for field in dataclasses.fields(TrainingArguments)}
    assert set(TrainSettings.model_fields) - OURS - theirs == set()
    assert set(get_args(Scheduler)) <= {kind.value for kind in SchedulerType}


@pytest.mark.parametrize(
    "values",
    [
        {"num_train_epochs": 0}, {"max_steps": 0}, {"max_steps": -1}, {"total_train_batch_size": 0}, {"per_device_train_batch_size": 0},
        {"per_device_train_batch_size": "automatic"}, {"learning_rate": -1}, {"lr_scheduler_type": "cosin"}, {"warmup_steps": -0.1},
        {"eval_steps": 0}, {"save_steps": 0}, {"save_steps": -1}, {"save_total_limit": 0}, {"logging_steps": 0}, {"seed": -1},
        {"seed": 2**32}, {"max_grad_norm": -1}, {"precision": "tf32"}, {"optim": "sgdd"}, {"objective": "dpoo"},
    ],
)  # fmt: skip
def test_limits(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrainSettings.model_validate(values)


@pytest.mark.parametrize(
    "values",
    [
        {"per_device_train_batch_size": 4},
        {"eval_steps": 0.1},
        {"save_steps": 10},
        {"learning_rate": 0},
        {"max_grad_norm": 0},
    ],
)
def test_taken(values: dict[str, Any]) -> None:
    settings = TrainSettings.model_validate(values)
    assert {key: getattr(settings, key) for key in values} == values
