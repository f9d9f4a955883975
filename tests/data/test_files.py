"""Files are found under either composition of Hangul, or refused in one sentence."""

import unicodedata
from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.data.files import gather, label, locate


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


def tree(root: Path, *names: str) -> Workspace:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    return Workspace(root)


def found(workspace: Workspace, name: str, *suffixes: str) -> list[str]:
    return [f.relative_to(workspace.root).as_posix() for f in gather(workspace, name, suffixes or (".csv",))]


def test_folders_and_patterns(tmp_path: Path) -> None:
    workspace = tree(tmp_path, "d/b.csv", "d/a.csv", "d/10.csv", "d/e/a.csv.gz", "d/e/f/B.CSV", "d/x.log", "d/.c.csv")
    assert found(workspace, "d") == ["d/10.csv", "d/a.csv", "d/b.csv", "d/e/a.csv.gz", "d/e/f/B.CSV"]
    assert found(workspace, "d/*") == ["d/10.csv", "d/a.csv", "d/b.csv"]
    assert found(workspace, "d/[ab].csv") == ["d/a.csv", "d/b.csv"]
    assert found(workspace, "d/**/a*") == ["d/a.csv", "d/e/a.csv.gz"]
    assert found(workspace, "?/*/*") == ["d/e/a.csv.gz"]
    assert found(workspace, "d/**") == found(workspace, "d") == found(workspace, f"{tmp_path}/*/**/*")
    assert found(workspace, "d/.*.csv") == ["d/.c.csv"]
    assert found(workspace, "d/*.log") == ["d/x.log"], "whoever writes the ending means it"
    assert found(workspace, "d/x.log") == ["d/x.log"]


def test_what_looks_like_a_pattern_may_be_a_name(tmp_path: Path) -> None:
    workspace = tree(tmp_path / "[r]", "a[1].csv", "a1.csv", "[d]/b.csv", "[d]/c.csv")
    assert found(workspace, "a[1].csv") == ["a[1].csv"]
    assert found(workspace, "[d]") == found(workspace, "[d]/*.csv") == ["[d]/b.csv", "[d]/c.csv"]


def test_nothing_fits(tmp_path: Path) -> None:
    workspace = tree(tmp_path, "raw/train-01.csv", "raw/a.txt", "raw/b.md", "raw/c.md", "raw/d.md")
    (tmp_path / "none").mkdir()
    for name, sentence in {
        "none": "none: holds no .csv/.tsv file",
        "none/*": "none/*: matches no file",
        "raw/[a-d].*": "raw/[a-d].*: matches no .csv/.tsv file; there are: a.txt, b.md, c.md, …",
        "raw/trian-*.csv": "raw/trian-*.csv: matches no file; did you mean 'train-01.csv'?",
        "rwa/*.csv": "rwa: no such folder; did you mean 'raw'?",
        "elsewhere/of/*.csv": "elsewhere: no such folder",
        "raw/a.txt/*.csv": "raw/a.txt: no such folder",
    }.items():
        with pytest.raises(DataError) as error:
            gather(workspace, name, (".csv", ".tsv"))
        assert str(error.value) == f"{tmp_path}/{sentence}"
    (tmp_path / "raw/train-01.csv").unlink()
    with pytest.raises(DataError, match=r"raw: holds no \.csv file; there are: a\.txt, b\.md, c\.md, …$"):
        gather(workspace, "raw", (".csv",))


def test_files_of_a_folder_that_cannot_be_read_as_they_are(tmp_path: Path) -> None:
    workspace = tree(tmp_path, "d/a.csv")
    (tmp_path / "d/b.csv").touch()
    with pytest.raises(DataError, match=r"d/b\.csv: is empty, expected rows"):
        gather(workspace, "d", (".csv",))
    (tmp_path / "d/b.csv").unlink()
    (tmp_path / "d/b.csv").symlink_to("gone.csv")
    with pytest.raises(DataError, match=r"d/b\.csv: is a link to a file that is gone"):
        gather(workspace, "d", (".csv",))


def test_nothing_is_read_twice(tmp_path: Path) -> None:
    workspace = tree(tmp_path, "d/a.csv", "d/e/b.csv")
    (tmp_path / "d/round").symlink_to("..")
    (tmp_path / "d/e/up").symlink_to(tmp_path / "d")
    assert found(workspace, "d") == ["d/a.csv", "d/e/b.csv"]
    (tmp_path / "d/link.csv").symlink_to("a.csv")
    with pytest.raises(DataError, match=r"d: 'a\.csv' and 'link\.csv' may hold the same rows; take one away"):
        gather(workspace, "d", (".csv",))
    (tmp_path / "d/link.csv").unlink()
    tree(tmp_path, "d/a.csv.zst")
    with pytest.raises(DataError, match=r"'a\.csv' and 'a\.csv\.zst' may hold the same rows"):
        gather(workspace, "d", (".csv",))
    assert found(workspace, "d/*.csv") == ["d/a.csv"]


def test_names_that_differ_only_in_composition_are_refused(tmp_path: Path) -> None:
    names = [unicodedata.normalize("NFC", "d/가.csv"), unicodedata.normalize("NFD", "d/가.csv")]
    workspace = tree(tmp_path, *names)
    if len(list((tmp_path / "d").iterdir())) < 2:
        pytest.skip("this file system takes both for one name")
    with pytest.raises(DataError, match="may hold the same rows"):
        gather(workspace, "d", (".csv",))
