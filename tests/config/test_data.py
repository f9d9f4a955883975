"""dadeum.config.data: rows, prompts, splits."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.config.data import DataSettings, PromptSettings, SplitSettings

SOURCE = {"type": "csv", "path": "a.csv"}
PROMPT: dict[str, Any] = {
    "training_columns": {"q": "질문", "a": "답변"},
    "messages_format": {
        "system_prompt": "법률",
        "messages": [{"role": "user", "content": "{q}"}, {"role": "assistant", "content": "{a}"}],
    },
    "evaluate_columns": {"query": "질문", "response": "답변"},
}


def test_defaults_refuse_what_is_not_understood() -> None:
    data = DataSettings.model_validate({"sources": [SOURCE]})
    assert (data.overlong, data.faulty_rows, data.train_on, data.packing) == ("error", "error", "assistant", True)


@pytest.mark.parametrize("prompt", ["civil", PROMPT, None])
def test_prompt_by_name_or_in_place(prompt: Any) -> None:
    found = DataSettings.model_validate({"sources": [SOURCE], "prompt": prompt}).prompt
    assert isinstance(found, PromptSettings) if isinstance(prompt, dict) else found == prompt


@pytest.mark.parametrize(
    "change",
    [{"training_columns": {}}, {"messages_format": {"messages": []}}, {"evaluate_columns": {"query": "q"}}, {"x": 1}],
)
def test_prompt_that_says_too_little(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PromptSettings.model_validate({**PROMPT, **change})


@pytest.mark.parametrize(
    "split", [{"validation": 0.5, "test": 0.5}, {"test": 1}, {"test": -0.1}, {"seed": -1}, {"seed": 2**32}]
)
def test_split_leaves_rows_to_train(split: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SplitSettings.model_validate(split)
    assert SplitSettings.model_validate({"validation": 0, "test": 0.9}).test == 0.9


@pytest.mark.parametrize(
    "change", [{"sources": []}, {"max_length": 7}, {"train_on": "user"}, {"chat_template_kwargs": {1: 2}}]
)
def test_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DataSettings.model_validate({"sources": [SOURCE], **change})
