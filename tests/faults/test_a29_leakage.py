"""A29: no prompt stands in two parts, however it is spelled, and no row is lost on the way."""

import json
import random
import unicodedata
from pathlib import Path

import pytest

from dadeum.data import step
from dadeum.data.keys import normalised
from tests.data.small import Data


def spellings(text: str) -> list[str]:
    return [
        text,
        unicodedata.normalize("NFD", text),
        f"  {text}\u3000",
        text.replace(" ", " \n "),
        text.upper(),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_twins_stay_together_and_counts_add_up(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    data = Data(tmp_path)
    rows = [
        {"question": spelling, "answer": f"답 {n}"}
        for n in range(60)
        for spelling in draw.sample(spellings(f"abc 질문 {n}번?"), draw.randint(1, 5))
    ]
    draw.shuffle(rows)
    path = data.write("qa.jsonl", "\n".join(json.dumps(row) for row in rows))
    settings = data.settings({"type": "jsonl", "path": path}, split={"validation": 0.1, "test": 0.1, "seed": seed})
    report, kept = data.report(settings), data.rows(settings)
    parts: dict[str, set[str]] = {}
    for row in kept:
        parts.setdefault(normalised(row["messages"][0]["content"]), set()).add(row["part"])
    assert len(parts) == 60 and all(len(found) == 1 for found in parts.values()) and report["overlap"] == 0
    assert sum(report["parts"].values()) + sum(report["dropped"].values()) == report["read"] == len(rows)
    assert sum(report["twins"].values()) == len(rows) - 60
    assert abs(report["parts"]["test"] - 0.1 * len(rows)) < 5


def test_a_training_twin_of_an_official_test_row_goes_out(tmp_path: Path) -> None:
    data = Data(tmp_path)
    train = data.write("train.csv", "Q,A\n" + "".join(f"질문 {n},답\n" for n in range(20)))
    nfd = unicodedata.normalize("NFD", "질문 3 ")
    test = data.write("test.csv", f"Q,A\n{nfd},다른 답\n새 질문,답\n")
    settings = data.settings(
        {"type": "csv", "path": train, "part": "train"},
        {"type": "csv", "path": test, "part": "test"},
        split={"validation": 0, "test": 0.1},
    )
    report = data.report(settings)
    assert report["parts"] == {"train": 19, "validation": 0, "test": 2} and report["overlap"] == 0
    assert report["dropped"] == {"twin of a test row": 1} and report["read"] == 22
    line = json.loads((data.preprocess(settings) / step.FAULTY).read_text(encoding="utf-8"))
    assert line["where"] == "train.csv:5" and line["source_row"] == 3


def test_real_set_with_twins(tmp_path: Path, material: Path) -> None:
    data = Data(tmp_path)
    report = data.report(data.settings({"type": "csv", "path": str(material / "ko_qa/ChatbotData.csv")}))
    assert report["read"] == sum(report["parts"].values()) == 11823 and report["overlap"] == 0
    assert sum(report["twins"].values()) > 100
