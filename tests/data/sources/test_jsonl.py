"""One object a line."""

from pathlib import Path

from dadeum.core.workspace import Workspace
from dadeum.data.sources import Fault, FileFacts, Row, jsonl


def read(tmp_path: Path, data: bytes) -> list[Row | Fault | FileFacts]:
    (tmp_path / "f.jsonl").write_bytes(data)
    settings = jsonl.Settings(path="f.jsonl", part="train")
    return list(jsonl.read(settings, jsonl.files(settings, Workspace(tmp_path))))


def test_bom_crlf_and_blank_lines(tmp_path: Path) -> None:
    items = read(tmp_path, b'\xef\xbb\xbf{"q": "1"}\r\n\r\n{"q": "2"}')
    assert [(i.where, i.values, i.part) for i in items if isinstance(i, Row)] == [
        ("f.jsonl:1", {"q": "1"}, "train"),
        ("f.jsonl:3", {"q": "2"}, "train"),
    ]
    facts = items[-1]
    assert isinstance(facts, FileFacts) and (facts.encoding, facts.blank) == ("utf-8-sig", 1)


def test_line_separators_of_unicode_do_not_end_a_line(tmp_path: Path) -> None:
    items = read(tmp_path, '{"q": "a\u2028b\u0085c"}\n'.encode())
    assert [i.values for i in items if isinstance(i, Row)] == [{"q": "a\u2028b\u0085c"}]
