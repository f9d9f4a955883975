"""dadeum.cli.dispatch: what went wrong becomes an exit code."""

import errno
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import pytest
import typer

from dadeum.cli.dispatch import dispatch, verb
from dadeum.core.errors import (
    ArtifactError,
    ConfigError,
    DadeumError,
    DataError,
    HubError,
    Interrupted,
    MissingExtra,
    ModelError,
    TrainError,
)
from dadeum.core.log import close_log, logger, open_log

NAME = "dadeum.cli.commands.verb_of_tests"
Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a function as a verb."""

    def run(function: Callable[..., object], *words: str) -> int:
        module = types.ModuleType(NAME)
        app = verb()
        app.command()(function)
        module.app = app  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, NAME, module)
        return dispatch("verb_of_tests", words)

    yield run
    close_log()


def raising(error: BaseException) -> Callable[[], None]:
    def raises() -> None:
        raise error

    return raises


def test_success(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda: print("가")) == 0
    assert capsys.readouterr() == ("가\n", "")


@pytest.mark.parametrize(
    "kind", [DadeumError, ConfigError, DataError, ModelError, TrainError, ArtifactError, HubError, MissingExtra]
)
def test_the_users_faults_are_sentences_and_2(
    kind: type[DadeumError], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(raising(kind("a.yaml:1: wrong\nb.yaml:2: wrong too"))) == 2
    assert capsys.readouterr() == ("", "error: a.yaml:1: wrong\nerror: b.yaml:2: wrong too\n")


def test_korean(run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert run(raising(DataError("행이 없습니다"))) == 2
    assert capsys.readouterr().err == "오류: 행이 없습니다\n"


@pytest.mark.parametrize(
    "error",
    [ValueError("boom"), AssertionError(), KeyError("x"), OSError(errno.EINVAL, "Invalid argument"), RecursionError()],
)
def test_our_faults_keep_their_traceback_and_are_1(
    error: Exception, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(raising(error)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback (most recent call last)" in err
    assert type(error).__name__ in err
    assert (
        err.splitlines()[-1]
        == f"error: a fault in dadeum ({type(error).__name__}); please report it with the lines above"
    )


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EACCES, errno.EROFS])
def test_a_disk_that_refuses_is_one_sentence_and_2(number: int, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(raising(OSError(number, os.strerror(number), "data/x"))) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: data/x: cannot be written or read ({os.strerror(number)}); ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (EOFError(), 130),
        (typer.Abort(), 130),
        (Interrupted("saved", 2), 130),
        (Interrupted("saved", 15), 143),
    ],
)
def test_signals(error: BaseException, code: int, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(raising(error)) == code
    assert capsys.readouterr().err.strip() in ("error: stopped", "error: saved")


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_verb_may_choose_its_code(code: int, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(raising(typer.Exit(code))) == code
    assert capsys.readouterr() == ("", "")


def options(
    place: Annotated[str, typer.Argument()] = "",
    batch_size: Annotated[int, typer.Option("--batch-size")] = 1,
    note: Annotated[str, typer.Option("--some-note")] = "",
) -> None:
    """What the verb does."""
    print(repr((place, batch_size, note)))


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (["--batch_size", "3"], ("", 3, "")),
        (["--batch_size=3"], ("", 3, "")),
        (["--batch-size=3"], ("", 3, "")),
        (["--some_note=a_b=c_d"], ("", 1, "a_b=c_d")),
        (["--some_note", "a_b"], ("", 1, "a_b")),
        (["a_b.yaml"], ("a_b.yaml", 1, "")),
        (["--", "--a_b"], ("--a_b", 1, "")),
    ],
)
def test_underscores_in_flags_but_nowhere_else(
    words: list[str], seen: object, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(options, *words) == 0
    assert capsys.readouterr().out == f"{seen!r}\n"


@pytest.mark.parametrize("words", [["--nothing"], ["--batch-size", "x"], ["a", "b"], ["--batch-size"]])
def test_wrong_use_is_2_without_a_traceback(words: list[str], run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(options, *words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "Traceback" not in err


def test_help_of_a_verb(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(options, "--help") == 0
    out = capsys.readouterr().out
    assert "dadeum verb_of_tests" in out
    assert "--batch-size" in out


@pytest.mark.parametrize("error", [DataError("canary-0123456789"), ValueError("canary-0123456789")])
def test_no_secret_on_the_screen_or_in_the_log(
    error: Exception, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-0123456789")
    path: list[Path] = []

    def fails() -> None:
        path.append(open_log(tmp_path, "training"))
        raise error

    run(fails)
    text = path[0].read_text(encoding="utf-8")
    assert "canary" not in text + capsys.readouterr().err
    assert "<HF_TOKEN>" in text
    assert ("Traceback" in text) == isinstance(error, ValueError)
    assert not [h for h in logger.handlers if hasattr(h, "baseFilename")]


GUARD = 300  # seconds against hanging for ever; less than the child would sleep
CHILD = """
import sys, time, types
import typer
from dadeum.cli import dispatch as d
app = d.verb()
@app.command()
def wait() -> None:
    print("ready", flush=True)
    time.sleep(1000)
@app.command()
def pour() -> None:
    while True:
        print("x" * 1000)
module = types.ModuleType("dadeum.cli.commands.x"); module.app = app
sys.modules[module.__name__] = module
sys.exit(d.dispatch("x", sys.argv[1:]))
"""


def start(word: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, word], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def test_ctrl_c_for_real() -> None:
    child = start("wait")
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=GUARD)
    assert child.returncode == 130
    assert err.strip() == "error: stopped"


def test_a_reader_that_goes_away_for_real() -> None:
    child = start("pour")
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.readline()
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    assert child.wait(GUARD) == 141
    assert "Traceback" not in err
    assert err == ""
