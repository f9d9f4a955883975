"""Files are found under either composition of Hangul, or refused in one sentence."""

import unicodedata
from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data.files import label, locate


@pytest.mark.parametrize(("stored", "asked"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_twin_of_the_name_is_found(tmp_path: Path, stored: str, asked: str) -> None:
    name = "자료/민법 질문.csv"
    path = tmp_path / unicodedata.normalize(stored, name)  # type: ignore[arg-type]
    path.parent.mkdir()
    path.write_text("x", encoding="utf-8")
    found = locate(Workspace(tmp_path), unicodedata.normalize(asked, name))  # type: ignore[arg-type]
    assert found.samefile(path)
    assert label(Workspace(tmp_path), found) == name


def test_sentences(tmp_path: Path) -> None:
    (tmp_path / "chatbot.csv").touch()
    (tmp_path / "folder").mkdir()
    workspace = Workspace(tmp_path)
    with pytest.raises(DataError, match=r"chatbt\.csv: no such file; did you mean 'chatbot\.csv'\?"):
        locate(workspace, "chatbt.csv")
    with pytest.raises(DataError, match=r"no such file$"):
        locate(workspace, "nowhere/at/all.csv")
    with pytest.raises(DataError, match="is empty"):
        locate(workspace, "chatbot.csv")
    with pytest.raises(DataError, match="is a folder"):
        locate(workspace, "folder")


def test_label_outside_the_workspace(tmp_path: Path) -> None:
    assert label(Workspace(tmp_path / "inside"), tmp_path / "f.csv") == (tmp_path / "f.csv").as_posix()
