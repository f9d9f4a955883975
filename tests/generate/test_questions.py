"""Question files in every shape; answer files that a spreadsheet opens safely."""

import csv
import io
import json
from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.generate.questions import Question, csv_text, from_cell, read_questions, write_answers


def write(path: Path, data: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(data.encode(encoding))
    return path


def test_one_a_line_in_any_encoding(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "cp949"):
        path = write(tmp_path / "q.txt", "계약이란 무엇인가요?\r\n\r\n  위자료는 얼마인가요?\n", encoding)
        assert [q.question for q in read_questions(path)] == ["계약이란 무엇인가요?", "위자료는 얼마인가요?"]


def test_columns_are_found_without_case(tmp_path: Path) -> None:
    found = read_questions(write(tmp_path / "q.csv", 'Category,Question,Answer\n민법,"가,\n나?",답\n,b,\n'))
    assert found == [Question("가,\n나?", "답", "민법"), Question("b", None, None)]
    lines = '{"질문": "가?", "답변": "나"}\n\n{"prompt": "b"}\n'
    assert read_questions(write(tmp_path / "q.jsonl", lines)) == [Question("가?", "나"), Question("b")]


def test_real_files(material: Path) -> None:
    found = read_questions(material / "ko_qa" / "civil_law_qa_dataset.csv")
    assert len(found) >= 50
    assert all(q.reference and q.category for q in found)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("q.txt", " \n\n", "holds no question"),
        ("q.xlsx", "a", r"expected a .txt, .csv or .jsonl"),
        ("q.csv", "title,body\n1,2\n", r"q.csv:2: found columns title, body, expected a question"),
        ("q.csv", 'question\n"open\n', "q.csv:"),
        ("q.jsonl", '{"question": "a"}\n[1]\n', r"q.jsonl:2: found no JSON object"),
        ("q.jsonl", '{"question": ["a"]}\n', "holds a list"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path: Path, name: str, data: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read_questions(write(tmp_path / name, data))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file of questions"):
        read_questions(tmp_path / "none.txt")


def test_cells_that_would_be_formulas_are_text() -> None:
    text = csv_text(["question", "n"], [["=cmd|' /C calc'!A0", -1], ["  @SUM(1)", 2.5], ["-가", None], ['가\n나,"', 0]])
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[1:] == [["'=cmd|' /C calc'!A0", "-1"], ["'  @SUM(1)", "2.5"], ["'-가", ""], ['가\n나,"', "0"]]


def test_answers_in_three_shapes(tmp_path: Path) -> None:
    rows = [{"question": "가?\n나", "answer": "답", "tokens": 3}, {"question": "b", "answer": "", "tokens": 0}]
    for name in ("a.md", "a.jsonl", "a.csv"):
        write_answers(tmp_path / name, "모델", rows)
    assert "## 1. 가? 나\n\n답\n" in (tmp_path / "a.md").read_text(encoding="utf-8")
    assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()] == rows
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [r["answer"] for r in csv.DictReader(file)] == ["답", ""]
    assert sorted(f.name for f in tmp_path.iterdir()) == ["a.csv", "a.jsonl", "a.md"]
    with pytest.raises(DataError, match=r"ends in .md, .jsonl or .csv"):
        write_answers(tmp_path / "a.docx", "모델", rows)


def test_numbers_are_no_formulas_and_cells_are_read_back() -> None:
    texts = ["-0.5847", "+3", "-1e-5", "-0.58 : -0.76", "=1+1", "'quoted'", "-가"]
    rows = list(csv.reader(io.StringIO(csv_text(["a"], [[text] for text in texts]).removeprefix("\ufeff"))))[1:]
    assert [row[0] for row in rows] == ["-0.5847", "+3", "-1e-5", "'-0.58 : -0.76", "'=1+1", "'quoted'", "'-가"]
    assert [from_cell(row[0]) for row in rows] == texts
