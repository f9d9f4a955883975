"""The file of a task."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.config.task import TaskSettings

LEAST: dict[str, Any] = {"dataset": {"type": "jsonl", "path": "rows.jsonl"}, "metrics": ["chrf"]}


def test_what_a_task_is_without_more() -> None:
    task = TaskSettings.model_validate(LEAST)
    assert (task.shots, task.limit, task.max_new_tokens, task.format) == (0, None, 64, "auto")
    assert [metric.type for metric in task.metrics] == ["chrf"] and task.dataset.type == "jsonl"


@pytest.mark.parametrize("more", [{"format": "alpaca"}, {"columns": {"question": "q"}}])
def test_there_is_one_way_to_read_a_row(more: dict[str, Any]) -> None:
    TaskSettings.model_validate({**LEAST, **more})
    with pytest.raises(ValidationError, match="remove format and columns, or prompt"):
        TaskSettings.model_validate({**LEAST, **more, "prompt": "mrc"})


@pytest.mark.parametrize("more", [{"shots": -1}, {"shots": 65}, {"limit": 0}, {"max_new_tokens": 0}, {"metrics": []}])
def test_bounds(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TaskSettings.model_validate({**LEAST, **more})
