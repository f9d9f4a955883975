"""Rows of each kind become the same conversation."""

import json
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.cells import FaultyRow, by_name
from dadeum.data.formats import FORMATS, Conversation
from dadeum.data.kinds import Recogniser

PAIR = ({"role": "user", "content": "질문?"}, {"role": "assistant", "content": "답."})


def kind(*columns: str) -> str:
    return Recogniser()("f", list(columns))[1]


def convert(values: dict[str, Any]) -> Conversation:
    return Recogniser()("f", list(values))[0](values)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"question": "질문?", "answer": "답."}, "question_answer"),
        ({"Q": "질문?", "A": "답.", "label": "0"}, "question_answer"),
        ({"질문": "질문?", "답변": "답."}, "question_answer"),
        ({"\u110c\u1175\u11af\u1106\u116e\u11ab": "질문?", "답변": "답."}, "question_answer"),
        ({"Prompt": "질문?", "Completion": "답."}, "question_answer"),
        ({"prompt": "질문?", "response": "답."}, "question_answer"),
        ({"QUERY": "질문?", "response": "답."}, "question_answer"),
        ({"instruction": "질문?", "input": "", "output": "답."}, "alpaca"),
        ({"instruction": "질문?", "output": "답.", "text": "질문? 답."}, "alpaca"),
        ({"instruction": "질문?", "context": None, "response": "답."}, "alpaca"),
        ({"conversations": [{"from": "human", "value": "질문?"}, {"from": "gpt", "value": "답."}]}, "sharegpt"),
        ({"conversation": [{"human": "질문?", "assistant": "답."}]}, "sharegpt"),
        ({"messages": list(PAIR), "prompt": "질문?"}, "messages"),
        ({"messages": json.dumps(PAIR)}, "messages"),
        ({"messages": [{"role": "User", "content": [{"type": "text", "text": "질문?"}]}, PAIR[1]]}, "messages"),
        ({"messages": [{"role": "system", "content": ""}, *PAIR]}, "messages"),
    ],
)
def test_every_spelling_of_one_conversation(values: dict[str, Any], found: str) -> None:
    assert kind(*values) == found
    assert convert(values).messages == PAIR


@pytest.mark.parametrize(
    "columns",
    [
        ("question1", "question2"),
        ("response",),
        ("messages", "conversations"),
        ("question", "answer", "query", "response"),
        ("instruction", "output", "question", "answer"),
        ("instruction", "output", "response"),
        ("paragraphs", "title"),
    ],
)
def test_unknown_or_ambiguous_columns(columns: tuple[str, ...]) -> None:
    with pytest.raises(DataError) as raised:
        kind(*columns)
    message = str(raised.value)
    assert (
        ", ".join(columns) in message
        and "expected one of" in message
        and "data.columns" in message
        and "data.prompt" in message
    )


def test_input_context_system_history_and_category() -> None:
    assert (
        convert({"instruction": "옮겨라", "input": "hello", "output": "안녕"}).messages[0]["content"]
        == "옮겨라\n\nhello"
    )
    assert convert({"context": "지문.", "question": "뭐?", "answer": "것"}).messages[0]["content"] == "지문.\n\n뭐?"
    found = convert({"system": "S", "query": "c", "response": "d", "history": [["a", "b"]], "category": "민법"})
    assert [m["content"] for m in found.messages] == ["S", "a", "b", "c", "d"] and found.category == "민법"
    own = [{"role": "system", "content": "own"}, *PAIR]
    assert [m["content"] for m in convert({"messages": own, "system": "other"}).messages] == ["own", "질문?", "답."]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"question": "q", "answer": " "}, "column 'answer' is blank: no answer"),
        ({"question": None, "answer": "a"}, "column 'question' is blank: no question"),
        ({"question": ["q"], "answer": "a"}, "column 'question' holds a list"),
        ({"instruction": "i", "output": ""}, "column 'output' is blank: no answer"),
        ({"messages": "x"}, "column 'messages' holds no list"),
        ({"messages": []}, "column 'messages' holds no message"),
        ({"messages": ["x"]}, "message 1 is no mapping"),
        ({"messages": [{"content": "x"}]}, "message 1 has no role"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "found role 'robot', expected one of"),
        ({"messages": [{"role": "user", "content": ""}]}, r"message 1 \(user\) is blank"),
        (
            {"messages": [{"role": "user", "content": [{"type": "audio"}]}]},
            "parts that are no text and no image: audio",
        ),
        ({"query": "q", "response": "r", "videos": ["f.mp4"]}, "column 'videos' is not read"),
        ({"query": "q", "response": "r", "history": ["x"]}, "'history' holds no pairs"),
        ({"text": None}, "column 'text' is blank"),
    ],
)
def test_faulty_rows_say_why(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        convert(values)


def test_half_a_row_of_json_names_the_missing_column() -> None:
    member = FORMATS.member("question_answer")
    with pytest.raises(FaultyRow, match="column 'a' is blank: no answer"):
        member.convert(by_name({"Q": "q"}))
