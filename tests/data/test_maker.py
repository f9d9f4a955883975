"""Rows one by one: what they become, and why they go."""

import json
from pathlib import Path
from typing import Any

from dadeum.config.data import DataSettings
from dadeum.config.purpose import SFT
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.keys import ABSENT, SIZE, id_key, keys
from dadeum.data.maker import Chunk, Gone, Kept, Maker, made


def text(conversation: Conversation) -> str:
    said = " / ".join(m["content"] for m in conversation.messages)
    if "못" in said:
        raise FaultyRow("not rendered", "no 못")
    return said


def maker(tmp_path: Path, **keys: Any) -> Maker:
    data = DataSettings.model_validate({"sources": [{"type": "csv", "path": "a.csv"}], **keys})
    return Maker.of(data, SFT, Workspace(tmp_path), text)


def chunk(*rows: dict[str, Any], columns: tuple[str, ...] = ("id", "question", "answer")) -> Chunk:
    return Chunk(3, "a.csv", columns, [(10 + i, row, f"a.csv:{i + 2}", None) for i, row in enumerate(rows)])


def test_rows_become_lines_with_their_keys(tmp_path: Path) -> None:
    found = maker(tmp_path)(chunk({"id": "7", "question": "가", "answer": "나"}, {"question": "A  b", "answer": "c"}))
    lines = [json.loads(line) for line in found.lines.splitlines()]
    assert [line["text"] for line in lines] == ["가 / 나", "A  b / c"]
    assert [(line["source_row"], line["where"]) for line in lines] == [(10, "a.csv:2"), (11, "a.csv:3")]
    expected = [keys(Conversation(tuple(line["messages"])), 42) for line in lines]
    for name, column in (
        ("prompt", found.prompts),
        ("exact", found.exact),
        ("loose", found.loose),
        ("answer", found.answers),
    ):
        assert column == b"".join(getattr(key, name) for key in expected), name
    assert found.ids == id_key(3, "7") + ABSENT and found.pins == bytes([255, 255])
    assert found.read == 2 and found.gone == []


def test_rows_go_with_their_reason_and_the_others_stay(tmp_path: Path) -> None:
    rows = [{"question": "가", "answer": ""}, {"question": "나", "answer": "다"}, {"question": "못", "answer": "라"}]
    found = maker(tmp_path)(chunk(*rows))
    assert [(g.source_row, g.kind, g.faulty) for g in found.gone] == [
        (10, "no answer", True),
        (12, "not rendered", True),
    ]
    assert len(found.lines.splitlines()) == 1 and len(found.exact) == SIZE and found.read == 3


def test_a_rejected_answer_is_nobodys_fault(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": "가"}, {"role": "assistant", "content": "나"}], "label": good}
        for good in (True, False)
    ]
    found = maker(tmp_path, preference="chosen")(chunk(*rows, columns=("messages", "label")))
    assert [(g.kind, g.faulty) for g in found.gone] == [("rejected answer", False)]


def test_cleaning_is_counted_for_each_chunk_alone(tmp_path: Path) -> None:
    tool = maker(tmp_path)
    changed = tool(chunk({"question": "\u1112\u1161\u11ab", "answer": "a\r\nb"}))
    same = tool(chunk({"question": "한", "answer": "b"}))
    assert (changed.nfc, changed.line_ends) == (1, 1) and (same.nfc, same.line_ends) == (0, 0)


def test_rows_of_a_source_without_columns_are_faulty(tmp_path: Path) -> None:
    found = maker(tmp_path)(chunk({}, columns=()))
    assert found.gone[0].kind == "no columns" and maker(tmp_path).kind("a.csv", ()) is None


def test_what_a_row_says_beside_its_messages_is_written() -> None:
    talk = Conversation(
        ({"role": "user", "content": "가"}, {"role": "assistant", "content": "나"}), category="법", query="가?"
    )
    (line,) = made([Kept(1, "a:1", talk, "글", "test", ABSENT)], 0).lines.splitlines()
    assert json.loads(line) | {"category": "법", "query": "가?"} == json.loads(line)
    assert made([Kept(1, "a:1", talk, "글", "test", ABSENT)], 0).pins == bytes([2])
    assert made([], 0, [Gone(0, "a:1", "x", "y", True)]).lines == ""
