"""CSV as spreadsheets write it."""

import gzip
from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data.sources import Fault, FileFacts, Row, csv


def read(tmp_path: Path, data: str | bytes, name: str = "f.csv") -> list[Row | Fault | FileFacts]:
    (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    settings = csv.Settings(path=name)
    return list(csv.read(settings, csv.files(settings, Workspace(tmp_path))))


def rows(items: list[Row | Fault | FileFacts]) -> list[Row]:
    return [i for i in items if isinstance(i, Row)]


def test_quoted_line_breaks_and_physical_lines(tmp_path: Path) -> None:
    items = read(tmp_path, 'q,a\n"one\ntwo","x ""y"", z"\n\nthree,four\n')
    assert [(r.where, r.values) for r in rows(items)] == [
        ("f.csv:2", {"q": "one\ntwo", "a": 'x "y", z'}),
        ("f.csv:5", {"q": "three", "a": "four"}),
    ]
    facts = items[-1]
    assert isinstance(facts, FileFacts) and facts.blank == 1 and facts.encoding == "utf-8"


def test_crlf_inside_quotes_stays(tmp_path: Path) -> None:
    assert rows(read(tmp_path, 'q,a\r\n"1\r\n2",b\r\n'))[0].values == {"q": "1\r\n2", "a": "b"}


def test_old_mac_line_ends(tmp_path: Path) -> None:
    assert [r.values["q"] for r in rows(read(tmp_path, "q,a\r1,2\r3,4\r"))] == ["1", "3"]


def test_tab_by_suffix_and_by_header(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "q\ta\n1,5\t2\n", "f.tsv"))[0].values == {"q": "1,5", "a": "2"}
    assert rows(read(tmp_path, "q\ta\n1,5\t2\n", "f.txt"))[0].values == {"q": "1,5", "a": "2"}


def test_the_kind_is_told_by_the_name_inside_of_a_compressed_one(tmp_path: Path) -> None:
    items = read(tmp_path, gzip.compress(b"q\n1,5\n"), "f.tsv.gz")
    assert [(r.where, r.values) for r in rows(items)] == [("f.tsv.gz:2", {"q": "1,5"})]
    nothing = read(tmp_path, gzip.compress(b""), "f.csv.gz")
    assert nothing == [FileFacts(tmp_path / "f.csv.gz", "utf-8")]


def test_blank_cells_are_none_and_words_stay(tmp_path: Path) -> None:
    values = [r.values["a"] for r in rows(read(tmp_path, "q,a\n1,\n2,  \n3,null\n4,NA\n5,nan\n6,0\n"))]
    assert values == [None, None, "null", "NA", "nan", "0"]


def test_ragged_row_is_a_fault_with_its_line(tmp_path: Path) -> None:
    items = read(tmp_path, "q,a\n1,2,3\n4\n5,6\n")
    assert [(i.where, i.reason) for i in items if isinstance(i, Fault)] == [
        ("f.csv:2", "3 cells, expected 2"),
        ("f.csv:3", "1 cells, expected 2"),
    ]
    assert len(rows(items)) == 1


def test_nul_is_a_fault(tmp_path: Path) -> None:
    items = read(tmp_path, "q,a\n1,x\0y\n5,6\n")
    assert [i.where for i in items if isinstance(i, Fault)] == ["f.csv:2"]


def test_text_after_a_closing_quote_is_a_fault_and_reading_goes_on(tmp_path: Path) -> None:
    items = read(tmp_path, 'q,a\n"x"y,2\n5,6\n')
    assert [i.where for i in items if isinstance(i, Fault)] == ["f.csv:2"]
    assert [r.where for r in rows(items)] == ["f.csv:3"]


def test_open_quote_ends_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="csv:3: a quote opened here is never closed"):
        read(tmp_path, 'q,a\n1,2\n3,"four\n5,6\n7,8\n')


def test_cell_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv, "LONGEST_CELL", 200_000)
    assert len(rows(read(tmp_path, f"q,a\n1,{'가' * 150_000}\n"))[0].values["a"]) == 150_000
    with pytest.raises(DataError, match="longer than 200000 characters"):
        read(tmp_path, f"q,a\n1,{'x' * 200_001}\n")


def test_header_with_bom_blanks_twins_and_no_name(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "\ufeffinstruction , output\n1,2\n"))[0].values == {"instruction": "1", "output": "2"}
    assert rows(read(tmp_path, ",q,a\n0,1,2\n"))[0].values == {"column 1": "0", "q": "1", "a": "2"}
    with pytest.raises(DataError, match="'q' stands twice"):
        read(tmp_path, "q,a,q\n1,2,3\n")


def test_part_is_carried(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("q,a\n1,2\n", encoding="utf-8")
    settings = csv.Settings(path="f.csv", part="test")
    assert rows(list(csv.read(settings, csv.files(settings, Workspace(tmp_path)))))[0].part == "test"


def test_real_sets(material: Path) -> None:
    settings = csv.Settings(path=str(material / "ko_qa/ChatbotData.csv"))
    items = list(csv.read(settings, csv.files(settings, Workspace(material))))
    assert len(rows(items)) == 11823 and not [i for i in items if isinstance(i, Fault)]
    settings = csv.Settings(path=str(material / "ko_cls/Question_pair_train.csv"))
    items = list(csv.read(settings, csv.files(settings, Workspace(material))))
    assert len(rows(items)) == 6888 and "id" in rows(items)[0].values
