"""Rows are read as they were written, and a limit takes them from everywhere."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.evaluate.rows import read_rows, rows_of, spread
from dadeum.generate.questions import Question
from tests.data.small import Data
from tests.evaluate.support import write_rows
from tests.generate.support import opened, save_small


def test_a_limit_is_spread_evenly() -> None:
    assert spread(10, None) == spread(10, 99) == list(range(10))
    assert spread(10, 5) == [0, 2, 4, 6, 8]
    assert spread(11823, 3) == [0, 3941, 7882]
    assert len(set(spread(7, 6))) == 6


def test_rows_keep_reference_category_and_place(tmp_path: Path) -> None:
    rows = read_rows(write_rows(tmp_path), 4)
    assert [r.source_row for r in rows] == [10, 12, 14, 16]
    assert rows[0].question == "안녕?"
    assert rows[0].reference == "답 0입니다"
    assert rows[0].category == "형법"
    assert len({r.asked for r in rows}) == 4


def test_damage_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_rows(tmp_path / "test.jsonl")
    (tmp_path / "test.jsonl").write_text('{"messages": [', encoding="utf-8")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_rows(tmp_path / "test.jsonl")
    (tmp_path / "test.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"raise data\.split\.test"):
        read_rows(tmp_path / "test.jsonl")


def test_questions_of_a_file_go_through_the_contract(tmp_path: Path) -> None:
    engine = opened(save_small(tmp_path))
    row = rows_of(engine, [Question("가?", "나", "분류")])[0]
    assert list(row.messages) == engine.contract.messages("가?")
    assert (row.reference, row.category) == ("나", "분류")


def test_all_right_answers_come_along(tmp_path: Path) -> None:
    line = {"messages": [{"role": "user", "content": "q"}], "reference": "가", "answers": ["가", "나"], "source_row": 0}
    (tmp_path / "test.jsonl").write_text(
        json.dumps(line) + "\n" + json.dumps(line | {"answers": []}) + "\n", encoding="utf-8"
    )
    assert [row.references for row in read_rows(tmp_path / "test.jsonl")] == [("가", "나"), ()]


def test_all_right_answers_of_a_reading_test_reach_the_test_part(tmp_path: Path) -> None:
    data = Data(tmp_path)
    texts = [f"답 {i}" for i in range(10)]
    rows = [{"context": f"글 {t}", "question": "누구?", "answers": {"text": [t, f"{t}번"]}} for t in texts]
    source = {"type": "jsonl", "path": data.write("rows.jsonl", "\n".join(json.dumps(row) for row in rows))}
    formatted = data.format(data.settings(source, split={"test": 0.5}))
    found = read_rows(formatted / "test.jsonl")
    assert len(found) == 5
    assert all(row.references == (row.reference, f"{row.reference}번") for row in found)
