"""dadeum.core.workspace: names that are folders, paths that start at the workspace."""

import os
from pathlib import Path

import pytest

from dadeum.core.errors import ConfigError
from dadeum.core.workspace import Workspace, check_name

GOOD = [
    "a",
    "civil-law-qa",
    "민법-질의응답",
    "run_1.5b",
    "2026",
    "A" * 100,
    "실험" * 33,
    "ㄱ",
    "é1",
    "config",
    "console",
]
BAD = [
    "", ".", "..", "../x", "a/b", "/etc", "a\\b", "C:x", "C:\\x", "a b", " a", "a ", "-rf", "_a", ".hidden", "a..b", "a/../b",
    "~", "~root", "$HOME", "a;b", "$(x)", "`x`", "a\nb", "a\0b", "a\tb", "a|b", "a*b", "a?b", "a<b", "a>b", 'a"b', "a'b", "a:b",
    "a%2fb", "a&b", "A" * 101, "가" * 67, "😀", "\u202ea", "\u200bb", "con", "NUL", "com1", "LPT9", "aux.txt", "a.", "．．", "．",
    "a／b", "\ufeffa",
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_good_names_are_folders(name: str, tmp_path: Path) -> None:
    assert check_name(name) == name
    folder = Workspace(tmp_path).checkpoints(name)
    folder.mkdir(parents=True)
    assert [f.name for f in (tmp_path / "checkpoints").iterdir()] == [name]


@pytest.mark.parametrize("name", BAD)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^name: "):
        check_name(name)
    for folder in (Workspace(Path("/w")).checkpoints, Workspace(Path("/w")).experiments):
        with pytest.raises(ConfigError):
            folder(name)


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    here = Workspace.here()
    assert here.root == Path(os.path.realpath(tmp_path))
    places = (here.configs, here.raw, here.processed, here.experiments("a"), here.checkpoints("a"))
    assert [p.relative_to(here.root).as_posix() for p in places] == [
        "configs", "data/raw", "data/processed", "experiments/a", "checkpoints/a",
    ]  # fmt: skip


def test_paths_of_the_file_start_at_the_workspace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    place = Workspace(Path("/w"))
    assert place.at("data/raw/질문 답.csv") == Path("/w/data/raw/질문 답.csv")
    assert place.at("/elsewhere/a.csv") == Path("/elsewhere/a.csv")
    assert place.at("~/a.csv") == Path("/home/somebody/a.csv")
    assert place.at("~nobody-of-that-name/a.csv") == Path("/w/~nobody-of-that-name/a.csv")
    with pytest.raises(ConfigError, match="NUL"):
        place.at("a\0b")
