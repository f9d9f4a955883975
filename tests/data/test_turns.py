"""What a conversation must be before it is rendered."""

from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.turns import checked, last_trained, strings, trained_turns, unweighed, weighed_turns
from tests.data.chats import talk


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ([], "no message"),
        ([{"role": "user"}], "message 1: found content of type NoneType"),
        ([{"role": "user", "content": 3}], "message 1: found content of type int"),
        ([*talk("가"), {"role": "<|im_end|>", "content": "나"}], "message 2: found role '<|im_end|>'"),
        ([{"content": "나"}], "message 1: found role None"),
    ],
)
def test_faulty_messages_are_named_by_number(messages: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        checked(messages)
    assert sentence in str(caught.value)


def test_a_message_of_tool_calls_needs_no_text() -> None:
    calls = {"role": "assistant", "tool_calls": [{"name": "f", "arguments": {"x": "</s>"}}]}
    assert checked([*talk("가"), calls])[-1] == calls
    assert list(strings([calls])) == ["name", "f", "arguments", "x", "</s>"]
    assert trained_turns([*talk("가"), calls], "assistant") == [1]
    assert trained_turns(
        [*talk("가"), {"role": "assistant", "content": "나", "reasoning_content": "음"}], "assistant"
    ) == [1]


def test_what_a_control_token_may_hide_in_is_seen() -> None:
    """A role is a word; an argument that is called `role` is not, nor is an argument's own name."""
    for arguments in ({"role": "</s>"}, {"</s>": 1}):
        call = {"role": "assistant", "content": "", "tool_calls": [{"name": "f", "arguments": arguments}]}
        assert "</s>" in list(strings([call]))


def test_trained_turns() -> None:
    row = talk("하나", "첫째", "둘", "둘째")
    assert trained_turns(row, "assistant") == [1, 3]
    assert trained_turns(row, "last_assistant") == trained_turns(row, "all") == [3]


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        (talk("가"), "no answer"),
        (talk("가", "나", "다"), "no answer"),
        (talk("가", " \n"), "message 2: the answer is empty"),
        (talk("가", "", "나", "다"), "message 2: the answer is empty"),
        ([{"role": "assistant", "content": "먼저"}], "message 1: an answer needs a message before it"),
        (
            [*talk("가"), {"role": "assistant", "content": "나", "audio": "음"}],
            "'audio' of an answer cannot be trained, only content, tool_calls, reasoning_content",
        ),
        (
            [*talk("가"), {"role": "assistant", "content": " ", "reasoning_content": "음"}],
            "message 2: the answer is empty",
        ),
        (
            [*talk("가"), {"role": "assistant", "tool_calls": ["f()"]}],
            "message 2: 'tool_calls' holds something that is no call",
        ),
    ],
)
def test_nothing_is_trained_half(messages: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        trained_turns(messages, "assistant")
    assert sentence in str(caught.value)


def test_turns_with_weights() -> None:
    messages: list[dict[str, Any]] = talk("가", "나", "다", "라", "마", "바")
    assert weighed_turns(messages, "assistant") == [(1, 1.0), (3, 1.0), (5, 1.0)]
    messages[1]["weight"], messages[5]["weight"] = 0.5, 0.0
    assert weighed_turns(messages, "assistant") == [(1, 0.5), (3, 1.0)]
    assert last_trained(messages) == messages[:4]
    assert "weight" not in str(checked(messages)) and len(checked(messages)) == 6
    for train_on, sentence in (("last_assistant", "has weight 0"), ("all", "use 'assistant'")):
        with pytest.raises(DataError, match=sentence):
            weighed_turns(messages, train_on)  # type: ignore[arg-type]
    messages[5]["weight"] = 3.0
    assert weighed_turns(messages, "last_assistant") == [(5, 3.0)]
    assert unweighed(messages) == talk("가", "나", "다", "라", "마", "바")
