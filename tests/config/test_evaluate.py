"""dadeum.config.evaluate: what is measured."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.config.evaluate import DEFAULT_METRICS, EvaluateSettings


def test_default_metrics_exist() -> None:
    assert tuple(metric.type for metric in EvaluateSettings().metrics) == DEFAULT_METRICS


@pytest.mark.parametrize(
    "values",
    [
        {"metrics": []},
        {"metrics": ["rogue"]},
        {"max_new_tokens": 0},
        {"batch_size": 0},
        {"limit": 0},
        {"few_shot": -1},
        {"bootstrap": 99},
        {"seed": -1},
    ],
)
def test_limits(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EvaluateSettings.model_validate(values)
