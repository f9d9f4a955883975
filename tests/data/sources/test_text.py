"""One line, one sample."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dadeum.core.workspace import Workspace
from dadeum.data.fallback import line as escape
from dadeum.data.sources import Fault, FileFacts, Row, text


def read(path: Path) -> list[Row | Fault | FileFacts]:
    settings = text.Settings(path=path.name)
    return list(text.read(settings, text.files(settings, Workspace(path.parent))))


def test_escapes_and_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    path.write_bytes("하나\\n둘\r\n\n  \nC:\\\\new \\alpha\n끝".encode())
    items = read(path)
    assert [(i.where, i.values["text"]) for i in items if isinstance(i, Row)] == [
        ("f.txt:1", "하나\n둘"),
        ("f.txt:4", "C:\\new \\alpha"),
        ("f.txt:5", "끝"),
    ]
    facts = items[-1]
    assert isinstance(facts, FileFacts) and facts.blank == 2 and facts.counts == {"escaped_lines": 2}


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")).filter(str.strip), min_size=1)
)
def test_any_text_comes_back(samples: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.txt"
        path.write_text("".join(escape(s) + "\n" for s in samples), encoding="utf-8", newline="\n")
        assert [i.values["text"] for i in read(path) if isinstance(i, Row)] == samples


@pytest.mark.parametrize("path", ["a/*.txt", "a/", "a.txt.gz"])
def test_a_fallback_writes_one_plain_file(path: str) -> None:
    with pytest.raises(ValidationError, match=f"a fallback writes one plain file, found the path '{re.escape(path)}'"):
        text.Settings(path=path, fallback="korean_eval")
    assert text.Settings(path=path).path == path
