"""A37: the result of a tool, which a template nests among what the assistant says, is trained as if the model had said it."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.render import DEFAULT_TODAY, Renderer
from scripts.render_fuzz import small
from scripts.template_table import templates
from tests.data.chats import freeze_date, trained

TOOL = {"type": "function", "function": {"name": "weather", "description": "날씨", "parameters": {"properties": {}}}}


def call(city: str) -> dict[str, Any]:
    return {"type": "function", "id": "abcdefghi", "function": {"name": "weather", "arguments": {"city": city}}}


def result(text: str) -> dict[str, Any]:
    return {"role": "tool", "content": text, "tool_call_id": "abcdefghi", "name": "weather"}


ASKED = {"role": "user", "content": "QUESTION", "tools": [TOOL]}
ROW = [
    ASKED,
    {"role": "assistant", "content": "", "tool_calls": [call("FIRST")]},
    result("RESULT one"),
    {"role": "assistant", "content": "", "tool_calls": [call("SECOND")]},
    result("RESULT two"),
    {"role": "assistant", "content": "ANSWER"},
]


def test_no_byte_of_a_result_is_a_target(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_date(monkeypatch, DEFAULT_TODAY)
    admitted = 0
    for name, text in templates(material).items():
        tokenizer = small(text)
        try:
            samples = Renderer(tokenizer, template_name=name).samples(ROW, "assistant")
        except DataError:
            continue
        admitted += 1
        said = [t for sample in samples for t in trained(tokenizer, sample)]
        assert len(said) == 3, name
        assert "FIRST" in said[0] and "SECOND" in said[1] and said[2].startswith("ANSWER"), name
        assert not any(word in t for t in said for word in ("RESULT", "QUESTION", "one", "two")), name
        assert "RESULT one" in "".join(tokenizer.decode(sample.input_ids) for sample in samples), name
    assert admitted >= 30
