"""B19: a column that changes its type, or is empty for a thousand rows, reads the same: text, or a row that is listed."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dadeum.core.errors import DataError
from tests.data.small import Data

NULLS = [{"question": f"q{n}", "answer": None} for n in range(1000)]
TEXTS = [{"question": f"질문 {n}", "answer": f"답 {n}"} for n in range(20)]


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_a_thousand_empty_cells_before_the_first_text(tmp_path: Path, kind: str) -> None:
    data, rows = Data(tmp_path), NULLS + TEXTS
    if kind == "parquet":
        # Two row groups: the first knows nothing of the column but that it is empty.
        schema = pa.schema([("question", pa.string()), ("answer", pa.string())])
        with pq.ParquetWriter(tmp_path / "f.parquet", schema) as writer:
            for part in (NULLS, TEXTS):
                writer.write_table(pa.Table.from_pylist(part, schema=schema))
        name = "f.parquet"
    else:
        made = {
            "jsonl": lines(rows),
            "json": json.dumps(rows, ensure_ascii=False),
            "csv": "question,answer\n" + "".join(f"{r['question']},{r['answer'] or ''}\n" for r in rows),
        }
        name = data.write(f"f.{kind}", made[kind])
    source = {"type": kind, "path": name}
    with pytest.raises(DataError, match=r"1000 of 1020 rows cannot be used.*column 'answer' is blank"):
        data.rows(data.settings(source))
    report = data.report(data.settings(source, faulty_rows="drop"))
    assert (report["kept"], report["dropped"]) == (20, {"no answer": 1000})


def test_numbers_then_words_are_text(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [{"question": f"{n}+1?", "answer": n + 1} for n in range(12)]
    rows += [
        {"question": "반?", "answer": 0.5},
        {"question": "참?", "answer": True},
        {"question": "말?", "answer": "말"},
    ]
    found = data.rows(data.settings({"type": "jsonl", "path": data.write("f.jsonl", lines(rows))}))
    assert [r["messages"][-1]["content"] for r in found] == [*map(str, range(1, 13)), "0.5", "true", "말"]
    table = "question,answer\n" + "".join(f"{n}?,{n:03}\n" for n in range(12)) + "끝?,말\n"
    found = data.rows(data.settings({"type": "csv", "path": data.write("f.csv", table)}))
    assert found[7]["messages"][-1]["content"] == "007"  # no column becomes numbers


def test_a_list_in_a_text_column_is_listed_not_guessed(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = [*TEXTS, {"question": "여럿?", "answer": ["하나", "둘"]}]
    settings = data.settings({"type": "jsonl", "path": data.write("f.jsonl", lines(rows))}, faulty_rows="drop")
    assert data.report(settings)["dropped"] == {"no text": 1}


def test_messages_as_json_text_and_as_lists_are_the_same(tmp_path: Path) -> None:
    data = Data(tmp_path)
    turns = [{"role": "user", "content": "가"}, {"role": "assistant", "content": "나"}]
    rows = [{"messages": turns if n % 2 else json.dumps(turns)} for n in range(4)]
    found = data.rows(data.settings({"type": "jsonl", "path": data.write("f.jsonl", lines(rows))}))
    assert len(found) == 4 and all(r["messages"] == turns for r in found)
