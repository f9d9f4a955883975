"""Rows of each kind become the same conversation."""

import json
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow, by_name, plain_name
from dadeum.data.formats import FORMATS, Conversation
from dadeum.data.prepare import RowReader, _converter
from dadeum.data.sources import SOURCES

PAIR = ({"role": "user", "content": "질문?"}, {"role": "assistant", "content": "답."})


def kind(*columns: str) -> str:
    return _converter("f", list(columns), None)[1]


def convert(values: dict[str, Any]) -> Conversation:
    return _converter("f", list(values), None)[0](values)


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
        ("question1", "question2", "is_duplicate"),
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
    assert ", ".join(columns) in message and "expected one of" in message and "data.prompt" in message


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
        ({"messages": [{"role": "tool", "content": "x"}]}, "found role 'tool', expected one of"),
        ({"messages": [{"role": "user", "content": ""}]}, r"message 1 \(user\) is blank"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "parts that are no text"),
        (
            {"messages": [{"role": "assistant", "content": "a", "tool_calls": [{}]}]},
            "'tool_calls', which is not rendered",
        ),
        ({"query": "q", "response": "r", "images": ["f.png"]}, "column 'images' is not read"),
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


def test_names_are_compared_composed_and_without_case() -> None:
    assert plain_name(" \u1112\u1161\u11abA ") == "한a"


@pytest.mark.parametrize(
    ("name", "kind_", "rows", "format_"),
    [
        ("ko_qa/ChatbotData.csv", "csv", 11823, "question_answer"),
        ("ko_instruct/ko_alpaca_data_first12761.json", "json", 12761, "alpaca"),
        ("en_math/gsm8k_test.jsonl", "jsonl", 1319, "question_answer"),
        ("en_instruct/rasbt_instruction-data-with-preference.json", "json", 1100, "alpaca"),
        ("peer_fixtures/fastchat/dummy_conversation.json", "json", 500, "sharegpt"),
        ("peer_fixtures/ms-swift/chatml.jsonl", "jsonl", 3, "messages"),
        ("peer_fixtures/ms-swift/conversations.jsonl", "jsonl", 3, "sharegpt"),
        ("peer_fixtures/ms-swift/sharegpt.jsonl", "jsonl", 3, "sharegpt"),
        ("peer_fixtures/ms-swift/swift_multi.json", "json", 3, "question_answer"),
        ("peer_fixtures/ms-swift/alpaca.csv", "csv", 3, "alpaca"),
        ("ko_text/kowiki_sample.txt", "text", 284, "text"),
    ],
)
def test_real_files(material: Path, name: str, kind_: str, rows: int, format_: str) -> None:
    source = SOURCES.settings(kind_)(path=str(material / name))  # type: ignore[call-arg]
    reader = RowReader.of(_settings(source), Workspace(material), lambda c: c.text or "", Silent())
    account = reader.read([source])
    assert account.sources[0]["format"] == format_
    assert account.read == len(account.kept) + len(account.dropped)
    if format_ != "text":
        assert account.read == rows
        assert not account.dropped or name.endswith("first12761.json")


def _settings(source: Any) -> Any:
    from dadeum.config.data import DataSettings

    return DataSettings.model_validate({"sources": [source]})
