"""The children that send: started, waited for, never left behind; what was not sent is told once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.core.errors import ConfigError, DadeumError, MissingExtra
from dadeum.core.settings import MemberSettings
from dadeum.track import senders
from dadeum.track.position import read_position
from dadeum.track.senders import Senders, catch_up, lack, prepare, ready, tracked
from dadeum.track.sinks import SINKS
from tests.track.support import RUN, Said, lines, make_evidence


def settings(kind: str, **values: object) -> MemberSettings:
    return SINKS.validate({"type": kind, **values})


BOARD = (settings("tensorboard"),)


def test_all_of_it_arrives_and_nobody_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "WAIT", 600.0)
    evidence, said = make_evidence(tmp_path, lines(*range(1, 8))), Said()
    with tracked(BOARD, evidence, said):
        pass
    position = read_position(evidence, "tensorboard")
    assert position is not None and (position.training, position.validation, position.status) == (7, 6, "finished")
    assert lack(evidence, "tensorboard") is None
    (file,) = (evidence / "tensorboard").iterdir()
    size = file.stat().st_size
    catch_up(BOARD, evidence, said)
    assert file.stat().st_size == size and said.warnings == []


class Children(Senders):
    """Children that do something else."""

    program = "import sys; sys.stdin.read()"

    def start(self) -> None:
        for kind in self.kinds:
            if kind not in self.children or self.children[kind].poll() is not None:
                self.children[kind] = subprocess.Popen(
                    [sys.executable, "-c", self.program], stdin=subprocess.PIPE, start_new_session=True
                )


class Deaf(Children):
    program = "import time; time.sleep(1000)"


def test_a_child_that_hears_nothing_is_stopped_and_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "WAIT", 0.1)
    made: list[Deaf] = []

    class Kept(Deaf):
        def __init__(self, evidence: Path, kinds: list[str]) -> None:
            super().__init__(evidence, kinds)
            made.append(self)

    monkeypatch.setattr(senders, "Senders", Kept)
    evidence, said = make_evidence(tmp_path, lines(1, 2)), Said()
    with tracked(BOARD, evidence, said):
        pass
    assert len(said.warnings) == 1
    assert (
        "tensorboard (tensorboard/) lacks 2 lines and 3 files" in said.warnings[0]
        and f"dadeum track send {RUN}" in said.warnings[0]
    )
    assert all(child.poll() == -signal.SIGKILL for child in made[0].children.values())


def test_an_error_of_the_run_passes_and_the_end_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "Senders", Children)
    evidence, said = make_evidence(tmp_path, lines(1)), Said()
    with pytest.raises(DadeumError, match="no gradient"), tracked(BOARD, evidence, said):
        raise DadeumError("no gradient")
    assert len(said.warnings) == 1


@pytest.mark.parametrize("when", ["at the beginning", "at the end"])
def test_a_process_that_cannot_be_started_costs_the_run_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def refuse(self: Senders) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(senders, "Senders", Children)
    evidence, said, done = make_evidence(tmp_path, lines(1)), Said(), []
    if when == "at the beginning":
        monkeypatch.setattr(Children, "start", refuse)
    with tracked(BOARD, evidence, said):
        monkeypatch.setattr(Children, "start", refuse)
        done.append(True)
    assert done and len(said.warnings) == 1 and "nothing can be sent now" in said.warnings[0]


def test_a_place_that_cannot_be_written_costs_a_finished_run_nothing(tmp_path: Path) -> None:
    evidence, said = make_evidence(tmp_path, lines(1)), Said()
    (evidence / "track").rmdir()
    (evidence / "track").write_text("a file")
    catch_up(BOARD, evidence, said)
    assert len(said.warnings) == 1 and "nothing can be sent now" in said.warnings[0]


def test_nothing_is_started_without_trackers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders.subprocess, "Popen", lambda *words, **more: pytest.fail("started"))
    evidence = make_evidence(tmp_path, lines(1))
    before = sorted(evidence.rglob("*"))
    with tracked((), evidence, Said()):
        pass
    catch_up((), evidence, Said())
    assert sorted(evidence.rglob("*")) == before


def test_a_child_that_was_killed_is_started_again(tmp_path: Path) -> None:
    one = Children(tmp_path, ["a"])
    one.start()
    first = one.children["a"]
    one.start()
    assert one.children["a"] is first
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    one.start()
    assert one.children["a"] is not first
    one.end()
    assert one.wait(None)
    one.stop()


def test_what_can_be_known_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ready([settings("mlflow"), settings("tensorboard")])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "ftp://x")
    with pytest.raises(ConfigError, match="MLFLOW_TRACKING_URI: found 'ftp://x'"):
        ready([settings("mlflow")])
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="mode: found 'online' without a key; put WANDB_API_KEY"):
        ready([settings("wandb", mode="online")])
    monkeypatch.setattr(senders.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r'track: mlflow: needs the package mlflow.*pip install "dadeum\[mlflow\]"'):
        ready([settings("mlflow")])


def test_another_place_knows_nothing(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, [])
    (evidence / "track").rmdir()
    prepare([settings("mlflow", uri="http://a:1")], evidence)
    assert (evidence / "track").stat().st_mode & 0o777 == 0o700
    first = read_position(evidence, "mlflow")
    assert first is not None
    first.training = 7
    first.write(evidence)
    prepare([settings("mlflow", uri="http://a:1")], evidence)
    assert read_position(evidence, "mlflow").training == 7  # type: ignore[union-attr]
    prepare([settings("mlflow", uri="http://b:1")], evidence)
    assert read_position(evidence, "mlflow").training == -1  # type: ignore[union-attr]
