"""dadeum.config.experiment: the sections together."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.config.experiment import Experiment

LEAST: dict[str, Any] = {"name": "x", "data": {"sources": [{"type": "csv", "path": "a.csv"}]}}


def test_the_least_experiment_is_whole() -> None:
    experiment = Experiment.model_validate(LEAST)
    assert experiment.adapter.type == "full"
    assert [target.type for target in experiment.export] == ["merged"]
    assert experiment.train.total_train_batch_size == 16
    assert experiment.output_dir is None


def test_what_is_written_down_is_read_back() -> None:
    experiment = Experiment.model_validate({**LEAST, "adapter": {"type": "lora", "r": 3, "target_modules": ["q"]}})
    assert Experiment.model_validate(experiment.model_dump(mode="json")) == experiment


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": "x" * 101}, {"export": "merged"}, {"extends": "a"}, {"output_dir": 1}]
)
def test_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Experiment.model_validate({**LEAST, **change})


def test_two_exports_to_one_folder_are_refused() -> None:
    kinds = [{"type": "gguf", "quantization": "f16"}, "merged", {"type": "gguf", "quantization": "q8_0"}]
    with pytest.raises(
        ValidationError, match=r"found 'gguf' twice, expected once; make others with `dadeum export gguf"
    ) as caught:
        Experiment.model_validate({**LEAST, "export": kinds})
    assert caught.value.errors()[0]["loc"] == ("export",)
    assert len(Experiment.model_validate({**LEAST, "export": kinds[:2]}).export) == 2
