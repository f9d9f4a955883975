"""C27: what a run leaves is the user's alone, and no argument of a process holds a secret."""

import os
from pathlib import Path

import pytest

from dadeum.core.artifact import writing
from dadeum.core.log import close_log, open_log
from dadeum.core.workspace import Workspace
from dadeum.run.store import new_run
from dadeum.track.position import Position
from dadeum.track.senders import Senders, prepare
from dadeum.track.sinks import SINKS, mlflow
from tests.track.support import lines, make_evidence, words_of


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def careless() -> object:
    """Of a user whose files everybody may read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_folders_of_a_run_and_its_logs(tmp_path: Path) -> None:
    run = new_run(Workspace(tmp_path), "tiny", "f" * 64)
    prepare([SINKS.validate("tensorboard")], run.evidence)
    log = open_log(run.evidence, "training")
    close_log(log)
    with writing(run.final, kind="final", fingerprint="f", made_from={}) as aside:
        (aside / "weights").write_bytes(b"1")
    assert [mode(p) for p in (run.evidence, run.evidence / "track", run.final)] == [0o700] * 3
    assert mode(log) == 0o600


def test_folders_of_comparisons_and_evaluations(tmp_path: Path) -> None:
    """They hold rows of the user and what was answered; a folder that was there already stays as its owner wants it."""
    made = tmp_path / "experiments" / "comparisons" / "today"
    close_log(open_log(made, "comparison"))
    close_log(open_log(tmp_path, "evaluation"))
    assert mode(made) == 0o700 and mode(made.parent) == 0o755


def test_the_database_of_mlflow(tmp_path: Path) -> None:
    assert mlflow.database(tmp_path) == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert mode(tmp_path / "mlruns") == 0o700


def test_arguments_and_what_a_sender_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-0123456789")
    evidence = make_evidence(tmp_path, lines(1))
    Position({"type": "tensorboard"}, "tensorboard/").write(evidence)
    senders = Senders(evidence, ["tensorboard"])
    senders.start()
    words = words_of(senders.children["tensorboard"].pid)
    senders.end()
    assert senders.wait(None)
    assert words.endswith(f"dadeum.track.sender\0{evidence}\0tensorboard\0".encode()) and b"canary" not in words
    assert b"canary" not in Path("/proc/self/cmdline").read_bytes()
    assert mode(evidence / "track/tensorboard.log") == 0o600
