"""B20: a file that is all one line, and a cell of millions of characters, are named; memory does not grow with the file."""

import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data import charset
from dadeum.data.sources import SOURCES, Row
from tests.data.small import Data

CHILD = """
import resource, sys
from pathlib import Path
from dadeum.core.errors import DataError
from dadeum.data.sources import SOURCES
resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))
for kind in ("csv", "jsonl", "text", "json"):
    member, path = SOURCES.member(kind), Path(sys.argv[1])
    try:
        for _ in member.read(member.Settings(path=str(path)), [path]):
            pass
    except DataError as error:
        print(kind, error)
"""


def test_a_sparse_file_larger_than_memory_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(told) == {"csv", "jsonl", "text", "json"}
    assert all(f"{path}:1: a line is longer than" in told[kind] for kind in ("csv", "jsonl", "text"))
    assert "use type: jsonl" in told["json"]


def test_cells_of_a_million_letters_are_read(tmp_path: Path) -> None:
    cell = "가" * 1_000_000
    path = tmp_path / "f.csv"
    path.write_text("question,answer\n" + f'q,"{cell}"\n' * 3, encoding="utf-8")
    member = SOURCES.member("csv")
    settings = member.Settings(path="f.csv")
    rows = [r for r in member.read(settings, member.files(settings, Workspace(tmp_path))) if isinstance(r, Row)]
    assert [len(r.values["answer"]) for r in rows] == [1_000_000] * 3


@pytest.mark.parametrize("broken", ['a,b\n1,"' + "x\n" * 600, "a,b\n1," + "x" * 1200 + "\n"])
def test_a_cell_beyond_the_limit_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    from dadeum.data.sources import csv

    monkeypatch.setattr(csv, "LONGEST_CELL", 1000)
    monkeypatch.setattr(charset, "LONGEST_LINE", 1100)
    data = Data(tmp_path)
    settings = csv.Settings(path=data.write("f.csv", broken))
    with pytest.raises(DataError, match=r"f\.csv:2: a (cell|line) is longer than 1[01]00"):
        list(csv.read(settings, csv.files(settings, data.workspace)))


def test_a_sample_too_long_for_the_model_is_named_with_the_limit(tmp_path: Path) -> None:
    data = Data(tmp_path)
    rows = "question,answer\n" + "".join(f"q{n},a{n}\n" for n in range(12)) + f"long,{'가나다 ' * 100_000}\n"
    with pytest.raises(DataError, match="max_length"):
        data.format(data.settings({"type": "csv", "path": data.write("f.csv", rows)}))
