"""`--resume-mode`: asked on a terminal only, and only where there is something to go on with."""

import io
from pathlib import Path

import pytest

from dadeum.cli.resume import decide
from dadeum.core.errors import ConfigError
from tests.run.lab import NAME, broken_at, cli, inside, lab_of, make_workspace, runs_of


class Terminal(io.StringIO):
    """Somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was stopped after step 3; nobody changes it."""
    root = make_workspace(tmp_path_factory.mktemp("cut") / "lab")
    with pytest.MonkeyPatch.context() as patched:
        broken_at(patched, "train.step", 4, KeyboardInterrupt())
        cli(root, "train", NAME)
    return root


def _decide(root: Path, mode: str | None, typed: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    with inside(root):
        return decide(mode, lab_of(root))


def test_what_is_said_is_done(written: Path) -> None:
    for mode in ("auto", "never", "must"):
        assert decide(mode, lab_of(written)) == mode
    with pytest.raises(ConfigError, match="--resume-mode: found 'yes', expected one of: ask, auto, never, must"):
        decide("yes", lab_of(written))


def test_without_a_terminal_nobody_is_asked(cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    for mode in (None, "ask"):
        assert decide(mode, lab_of(cut)) == "auto"


@pytest.mark.parametrize("mode", [None, "ask"])
@pytest.mark.parametrize(("typed", "expected"), [("y\n", "auto"), ("\n", "auto"), ("n\n", "never")])
def test_asked(
    cut: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mode: str | None,
    typed: str,
    expected: str,
) -> None:
    assert _decide(cut, mode, typed, monkeypatch) == expected
    assert f"{runs_of(cut)[0].name} stopped after step-000002. Go on with it?" in capsys.readouterr().out


def test_nothing_to_go_on_with(
    written: Path, done: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for root in (written, done):
        assert _decide(root, "ask", "n\n", monkeypatch) == "auto"
    assert capsys.readouterr().out == ""
