"""Messages that hold more than text: calls, results, reasoning, parts, ratings."""

from typing import Any

import pytest

from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.kinds import Recogniser

USER = {"role": "user", "content": "서울 날씨?"}
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"city": "서울", "day": None}}}


def convert(*messages: dict[str, Any], **more: Any) -> Conversation:
    values = {"messages": list(messages), **more}
    how, kind = Recogniser()("f", list(values))
    assert kind == "messages"
    return how(values)


@pytest.mark.parametrize(
    "given",
    [
        {"tool_calls": [CALL]},
        {"tool_calls": [CALL["function"]], "content": None},
        {
            "tool_calls": [{"function": {"name": "weather", "arguments": '{"city": "서울", "day": null}'}}],
            "content": "",
        },
        {"function_call": {"name": "weather", "arguments": '{"city": "서울", "day": null}'}, "content": None},
        {"tool_calls": '[{"name": "weather", "arguments": {"city": "서울", "day": null}}]'},
    ],
)
def test_every_spelling_of_a_call(given: dict[str, Any]) -> None:
    (_, said) = convert(USER, {"role": "assistant", **given}).messages
    assert said == {"role": "assistant", "content": "", "tool_calls": [CALL]}


def test_ids_results_and_tools_are_kept() -> None:
    answer = {"role": "assistant", "content": "맑아요."}
    found = convert(
        USER,
        {"role": "assistant", "content": "볼게요.", "tool_calls": [{**CALL, "id": "abcdefghi"}]},
        {"role": "tool", "content": "", "tool_call_id": "abcdefghi", "name": "weather", "other": 1},
        answer,
        tools='[{"name": "weather", "parameters": {}}]',
    )
    assert found.messages[1] == {"role": "assistant", "content": "볼게요.", "tool_calls": [{**CALL, "id": "abcdefghi"}]}
    assert found.messages[2] == {"role": "tool", "content": "", "tool_call_id": "abcdefghi", "name": "weather"}
    assert found.tools == ({"type": "function", "function": {"name": "weather", "parameters": {}}},)
    whole = ({"type": "function", "function": {"name": "weather"}},)
    assert convert(USER, answer, tools=list(whole)).tools == whole
    assert convert(USER, answer, tools=None).tools == convert(USER, answer, tools="[]").tools == ()


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_has_one_name(key: str) -> None:
    said = {"role": "assistant", "content": "맑음", "reasoning_content": "여름이니"}
    assert convert(USER, {"role": "assistant", "content": "맑음", key: "여름이니"}).messages[1] == said
    parts = [{"type": "thinking", "thinking": "여름이니"}, {"type": "text", "text": "맑음"}]
    assert convert(USER, {"role": "assistant", "content": parts}).messages[1] == said


def test_parts_of_text_by_either_name() -> None:
    parts = [{"type": "text", "value": "가"}, {"type": "text", "text": "나"}]
    assert convert({"role": "user", "content": parts}, USER).messages[0]["content"] == "가나"


@pytest.mark.parametrize(("label", "wanted"), [(True, True), (False, False), ("True", True), ("false", False)])
def test_a_rating_is_true_or_false(label: Any, wanted: bool) -> None:
    assert convert(USER, USER, label=label).wanted is wanted
    assert convert(USER, USER, kto_tag=label).wanted is wanted


@pytest.mark.parametrize("label", [0, 1, "0", "good", None])
def test_any_other_label_rates_nothing(label: Any) -> None:
    assert convert(USER, USER, label=label).wanted is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"tool_calls": [{}]}, "message 2: a tool call has no name"),
        ({"tool_calls": "weather"}, "message 2: a tool call has no name"),
        ({"tool_calls": [{"name": "f", "arguments": "x=1"}]}, "arguments of the call of 'f' are no JSON object"),
        ({"tool_calls": [{"name": "f", "arguments": "[1]"}]}, "arguments of the call of 'f' are no JSON object"),
        ({"tool_calls": []}, r"message 2 \(assistant\) is blank"),
    ],
)
def test_what_is_no_call_says_why(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        convert(USER, {"role": "assistant", **given})


@pytest.mark.parametrize("tools", [[{"description": "no name"}], ["text"], [1]])
def test_what_is_no_tool_says_why(tools: list[Any]) -> None:
    with pytest.raises(FaultyRow, match="holds a tool without a name"):
        convert(USER, {"role": "assistant", "content": "x"}, tools=tools)


def test_no_arguments_are_empty_ones() -> None:
    for arguments in (None, "", "{}"):
        said = convert(USER, {"role": "assistant", "tool_calls": [{"name": "f", "arguments": arguments}]}).messages[1]
        assert said["tool_calls"][0]["function"] == {"name": "f", "arguments": {}}
