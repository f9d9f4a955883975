"""A list of conversations, a line each."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.data.conversations import read_conversations, trainable, write_conversations

ROWS = [{"messages": [], "text": f'줄바꿈 \n, ] "{n}"', "part": "train"} for n in range(3)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_written_as_a_json_list_and_read_row_by_row(count: int, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    write_conversations(path, (json.dumps(row, ensure_ascii=False) for row in ROWS[:count]))
    assert json.loads(path.read_text(encoding="utf-8")) == ROWS[:count] == list(read_conversations(path))
    assert len(path.read_text(encoding="utf-8").splitlines()) == (count + 2 if count else 1)


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_on_other_lines_is_read_too(indent: int | None, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(ROWS, indent=indent), encoding="utf-8")
    assert list(read_conversations(path)) == ROWS


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text('[\n{"a": 1},\nbroken\n]\n', encoding="utf-8")
    rows = read_conversations(path)
    assert next(rows) == {"a": 1}
    with pytest.raises(ArtifactError, match=r"c\.json: cannot be read as conversations"):
        next(rows)


def test_what_training_needs_is_all_but_the_text_of_a_talk() -> None:
    talk = {"part": "train", "messages": [{"role": "user", "content": 'a, "text": "b", "c": "'}], "where": "a:1"}
    rows = [
        talk | {"text": 'x, "text": "y" \n", "z": "'},
        {"part": "test", "messages": [], "where": "a:2", "text": 'x, "text": "y"'},
        talk,
    ]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    assert trainable(lines) == [talk, rows[1], talk]


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "a"}], "text": "b", "source_row": 1},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}], "where": "a"},
        {"text": "b", "messages": [{"role": "user", "content": "a", "tools": [{"x": 1, "text": "y"}]}]},
    ],
)
def test_lines_in_another_order_are_read_whole(row: dict[str, object]) -> None:
    assert trainable([json.dumps(row)]) == [row]
