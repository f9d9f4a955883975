"""B16: a malformed line is named by its own number, with column and reason."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.data import step
from tests.data.small import Data

GOOD = '{"question": "질문 %d", "answer": "답"}'


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"question": "x", "answer": }', "column 29"),
        ('{"question": "x", "answer": "y",}', "column 32|column 33"),
        ('["x", "y"]', "found a list, expected an object"),
        ('{"question": "x\0", "answer": "y"}', "Invalid control character"),
        ('{"question": "x", "answer": "y"} extra', "Extra data, column 34"),
        ('{"question": "x", "answer"', "no JSON"),
        ("[" * 5000, "no JSON"),
        ('{"n": ' + "9" * 5000 + "}", "no JSON that can be read"),
        ('"' + "가" * 3_500_000, "Unterminated string"),
    ],
    ids=["value", "comma", "array", "nul", "extra", "cut", "deep", "digits", "10MB"],
)
def test_corrupt_line_four(tmp_path: Path, line: str, reason: str) -> None:
    data = Data(tmp_path)
    lines = [GOOD % 1, "", GOOD % 3, line, GOOD % 5]
    path = data.write("f.jsonl", "\r\n".join(lines))
    with pytest.raises(DataError, match=rf"1 of 4 rows cannot be used, first f\.jsonl:4: .*({reason})") as raised:
        data.preprocess(data.settings({"type": "jsonl", "path": path}))
    assert len(str(raised.value)) < 1000
    settings = data.settings({"type": "jsonl", "path": path}, faulty_rows="drop")
    assert [row["where"] for row in data.rows(settings)] == ["f.jsonl:1", "f.jsonl:3", "f.jsonl:5"]
    assert data.report(settings)["sources"][0]["blank_lines"] == 1


def test_utf8_cut_inside_a_character(tmp_path: Path) -> None:
    data = Data(tmp_path)
    lines = "\n".join(GOOD % n for n in range(6)).encode()
    at = lines.rindex("답".encode()) + 2
    with pytest.raises(DataError, match=rf"f\.jsonl:6: byte {at - 2} cannot be read as utf-8"):
        data.preprocess(data.settings({"type": "jsonl", "path": data.write("f.jsonl", lines[:at])}))


def test_a_good_line_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    data = Data(tmp_path)
    long = json.dumps({"question": "x" * 10_000_000, "answer": "y"})
    settings = data.settings({"type": "jsonl", "path": data.write("f.jsonl", long + "\n" + GOOD % 1)})
    assert len(data.rows(settings)[0]["messages"][0]["content"]) == 10_000_000


def test_all_faults_are_listed(tmp_path: Path) -> None:
    data = Data(tmp_path)
    path = data.write("f.jsonl", "\n".join("{" if n % 2 else GOOD % n for n in range(20)))
    with pytest.raises(DataError, match=r"10 of 20 rows cannot be used, first f\.jsonl:2"):
        data.preprocess(data.settings({"type": "jsonl", "path": path}))
    (listing,) = (tmp_path / "data/processed").glob("faulty-*.jsonl")
    found = [json.loads(text)["where"] for text in listing.read_text(encoding="utf-8").splitlines()]
    assert found == [f"f.jsonl:{n + 1}" for n in range(20) if n % 2]
    assert not list((tmp_path / "data").rglob(step.CONVERSATIONS))
