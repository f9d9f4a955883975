"""dadeum.cli.app: help, version, completion, and the way to a verb."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum import __version__
from dadeum.cli import app, commands
from dadeum.cli.table import FILES_AFTER, VERBS

BIN = Path(sys.executable).parent


def leave(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as caught:
        app.main(words)
    out, err = capsys.readouterr()
    return caught.value.code, out, err


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_help_lists_every_verb_with_its_line(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = leave(capsys, *words)
    assert (code, err) == (0, "")
    for verb, (english, _, _) in VERBS.items():
        assert f"  {verb:<12}{english}\n" in out
    assert max(map(len, out.splitlines())) <= 100


def test_help_in_korean(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    _, out, _ = leave(capsys, "--help")
    for verb, (_, korean, _) in VERBS.items():
        assert f"  {verb:<12}{korean}\n" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert leave(capsys, "--version") == (0, f"dadeum {__version__}\n", "")


def test_every_verb_has_its_file_and_every_file_its_verb() -> None:
    files = {f.stem for f in Path(commands.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == set(VERBS)
    assert set(FILES_AFTER) <= set(VERBS)


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("trian", "error: unknown verb 'trian'; did you mean 'train'?\n"),
        ("zzzz", "error: unknown verb 'zzzz'; `dadeum --help` lists the verbs\n"),
        ("--hlep", "error: unknown verb '--hlep'; did you mean"),
        ("Train", "error: unknown verb 'Train'; did you mean 'train'?\n"),
    ],
)
def test_unknown_verb(
    word: str, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = leave(capsys, word)
    assert (code, out) == (2, "")
    assert err.startswith(line) or word == "--hlep"
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert leave(capsys, word)[2].startswith(f"오류: '{word}'은(는) 모르는 동사입니다.")


def test_a_verb_is_dispatched_with_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dadeum.cli import dispatch

    seen: list[object] = []
    monkeypatch.setattr(dispatch, "dispatch", lambda verb, words: seen.append((verb, words)) or 3)
    assert leave(capsys, "train", "a.yaml", "train.seed=1")[0] == 3
    assert seen == [("train", ["a.yaml", "train.seed=1"])]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([""], [*VERBS, "--help", "--version"]),
        ([], [*VERBS, "--help", "--version"]),
        (["tra"], ["train", "track"]),
        (["--v"], ["--version"]),
        (
            ["data", ""],
            ["download", "preprocess", "format", "check", "show", "configs/a.yaml", "configs/나.yaml", "--help"],
        ),
        (["data", "p"], ["preprocess"]),
        (["run", "configs/a"], ["configs/a.yaml"]),
        (["data", "format", ""], ["configs/a.yaml", "configs/나.yaml", "--help"]),
        (["completion", ""], ["bash", "zsh", "fish", "--help"]),
        (["nothing", ""], ["--help"]),
        (["doctor", "x"], []),
    ],
)
def test_complete(words: list[str], expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "configs").mkdir()
    for name in ("a.yaml", "나.yaml", "notes.txt"):
        (tmp_path / "configs" / name).touch()
    monkeypatch.chdir(tmp_path)
    assert app.complete(words) == expected


def test_complete_where_there_are_no_experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert app.complete(["run", ""]) == ["--help"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["dadeum", "trai"], ["train"]),
        (["dadeum", "data", "f"], ["format"]),
        (["dadeum", "run", "configs/"], ["configs/내 것.yaml"]),
    ],
)
def test_bash_completes_for_real(line: list[str], expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "내 것.yaml").touch()
    words = " ".join(f"'{word}'" for word in line)
    script = (
        f'{app.BASH}\nCOMP_WORDS=({words})\nCOMP_CWORD={len(line) - 1}\n_dadeum\nprintf "%s\\n" "${{COMPREPLY[@]}}"\n'
    )
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.splitlines() == expected


def test_every_script_asks_the_program() -> None:
    for shell, script in app.SCRIPTS.items():
        assert "dadeum --complete" in script, shell


@pytest.mark.parametrize("module", [["-m", "dadeum"], [str(BIN / "dadeum")]])
def test_module_and_command_are_the_same_program(module: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *module, "--version"], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout == f"dadeum {__version__}\n"


def test_runs_are_completed_where_one_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("law/20260101-000000-abcdef", "law/.removing-20260101-000000-abcdee", "law/notes", "comparisons/1"):
        (tmp_path / "experiments" / name).mkdir(parents=True)
        if "-" in name:
            (tmp_path / "experiments" / name / "manifest.json").touch()
    monkeypatch.chdir(tmp_path)
    there = ["law", "20260101-000000-abcdef", "--help"]
    assert app.complete(["reproduce", ""]) == app.complete(["runs", "show", ""]) == there
    assert app.complete(["runs", "compare", "law", "2026"]) == ["20260101-000000-abcdef"]
    assert app.complete(["runs", ""]) == ["list", "show", "compare", "rm", "--help"]
