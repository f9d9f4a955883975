"""A41: every row is kept, or dropped with `file:line` and reason; nothing is reordered."""

import json
import random
from pathlib import Path
from typing import Any

from dadeum.core import artifact
from dadeum.data import step
from dadeum.data.samples import Samples
from tests.data.small import Data


def line(draw: random.Random, number: int) -> str:
    """A JSON line that is good, or wrong in one of the ways that rows are wrong."""
    good: dict[str, Any] = {"question": f"질문 {draw.randint(0, 600)}", "answer": f"답 {number}"}
    kinds: list[Any] = [
        *[good] * 6,
        {**good, "answer": ""},
        {**good, "answer": None},
        {"answer": "답"},
        {**good, "question": [1]},
        {**good, "answer": "half \ud800"},
        {**good, "answer": "nul \0"},
        [1, 2],
        {**good, "answer": "긴 답 " * 60},
        None,
    ]
    chosen = draw.choice(kinds)
    return '{"question": broken' if chosen is None else json.dumps(chosen)


def test_a_thousand_rows_of_all_sorts(tmp_path: Path) -> None:
    draw = random.Random(7)
    data = Data(tmp_path)
    lines = [line(draw, n) for n in range(1000)]
    path = data.write("f.jsonl", "\n".join(lines))
    settings = data.settings({"type": "jsonl", "path": path}, faulty_rows="drop", overlong="drop", max_length=128)
    report = data.report(settings)
    rows = data.rows(settings)
    assert report["read"] == 1000 and report["kept"] == len(rows)
    assert report["kept"] + sum(report["dropped"].values()) == 1000
    dropped = _lines(data.preprocess(settings) / step.FAULTY)
    assert len(dropped) == sum(report["dropped"].values()) > 100
    assert all(d["where"] == f"f.jsonl:{d['source_row'] + 1}" and d["reason"] and d["kind"] for d in dropped)
    order = [row["source_row"] for row in rows]
    assert order == sorted(order)
    assert sorted([*order, *(d["source_row"] for d in dropped)]) == list(range(1000))
    for row in rows:
        assert row["messages"][1]["content"] == json.loads(lines[row["source_row"]])["answer"]

    folder = data.format(settings)
    facts = artifact.read_json(folder / step.STATISTICS)
    later = _lines(folder / step.FAULTY)
    trained = [
        int(r) for part in ("train", "validation", "test") for r in Samples.open(folder / f"{part}.arrow").source_rows
    ]
    assert facts["total"]["rows"] + sum(facts["dropped"].values()) == report["kept"]
    assert sorted([*trained, *(d["source_row"] for d in later)]) == order
    assert all(d["where"] and d["reason"] for d in later)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
