"""A12: a blank cell never becomes the word None or nan, and a word such as NA stays a word."""

import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from tests.data.small import Data

ROWS = [
    ("옮겨라", None, "가"),
    ("세어라", "NA", "나"),
    ("적어라", "null", "다"),
    ("더해라", "nan", "라"),
    ("빼라", "0", "마"),
    ("곱해라", "3.0", "바"),
]


def write(data: Data, kind: str) -> str:
    rows = [{"instruction": a, "input": b, "output": c} for a, b, c in ROWS]
    if kind == "csv":
        lines = "".join(f"{a},{'' if b is None else b},{c}\n" for a, b, c in ROWS)
        return data.write("f.csv", "instruction,input,output\n" + lines)
    if kind == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), data.root / "f.parquet")
        return "f.parquet"
    text = json.dumps(rows) if kind == "json" else "\n".join(json.dumps(row) for row in rows)
    return data.write(f"f.{kind}", text)


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "parquet"])
def test_nothing_is_put_into_the_prompt(tmp_path: Path, kind: str) -> None:
    data = Data(tmp_path)
    rows = data.rows(data.settings({"type": kind, "path": write(data, kind)}))
    questions = [row["messages"][0]["content"] for row in rows]
    assert questions == [a if b is None else f"{a}\n\n{b}" for a, b, _ in ROWS]
    assert "None" not in "".join(row["text"] for row in rows) and rows[0]["text"].count("nan") == 0


def test_numbers_and_not_a_number_of_typed_files(tmp_path: Path) -> None:
    data = Data(tmp_path)
    table = pyarrow.table({"question": ["a", "b", "c"], "answer": [1.5, float("nan"), 2.0]})
    pyarrow.parquet.write_table(table, data.root / "f.parquet")
    settings = data.settings({"type": "parquet", "path": "f.parquet"}, faulty_rows="drop")
    assert [row["messages"][1]["content"] for row in data.rows(settings)] == ["1.5", "2.0"]
    assert data.report(settings)["dropped"] == {"no answer": 1}


def test_blank_required_cell_of_a_messages_format_is_reported(tmp_path: Path) -> None:
    data = Data(tmp_path)
    path = data.write("f.csv", "context,question,answer\n지문,물음,답\n,물음 2,답\n")
    settings = data.settings({"type": "csv", "path": path}, prompt="mrc", faulty_rows="drop")
    assert data.report(settings)["dropped"] == {"blank column": 1}
    line = json.loads((data.preprocess(settings) / "faulty_rows.jsonl").read_text(encoding="utf-8"))
    assert line["where"] == "f.csv:3" and "'context'" in line["reason"]
