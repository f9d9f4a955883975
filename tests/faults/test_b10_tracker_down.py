"""B10: a tracker that refuses, hangs or answers 500, at any time, costs nothing but its own copy; that is sent later."""

import importlib.abc
import importlib.machinery
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dadeum.track import senders
from dadeum.track.position import Position, read_position
from dadeum.track.senders import Senders
from dadeum.track.sinks import SINKS
from tests.run.lab import NAME, Said, cli, copy, fine, make_workspace, runs_of
from tests.track.server import Tracking, serve
from tests.track.support import Said as Kept
from tests.track.support import lines, make_evidence, write_lines

TRACKERS = {"mlflow", "wandb", "tensorboard"}


def losses(root: Path) -> list[tuple[Any, ...]]:
    """Every number of the metrics that is not measured by a clock."""
    (run,) = runs_of(root)
    found = [json.loads(line) for line in (run.evidence / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    return [
        tuple(line.get(key) for key in ("step", "loss", "grad_norm", "learning_rate", "validation_loss"))
        for line in found
    ]


@pytest.fixture
def lab(done: Path, tmp_path: Path) -> Path:
    """The data of a workspace that was run without a tracker, and no run."""
    root = copy(done, tmp_path / "lab")
    (run,) = runs_of(root)
    shutil.rmtree(run.evidence)
    shutil.rmtree(run.checkpoints)
    return root


class Refusing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The packages of trackers are there, and must not be imported in the process that trains."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name in TRACKERS else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        raise AssertionError(f"{spec.name} is imported in the process that trains")


def trained(root: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Said:
    """A training in this process, in which no tracker's package can be imported and nobody waits for long."""
    with monkeypatch.context() as patched:
        patched.setattr(senders, "WAIT", 0.5)
        for name in [name for name in sys.modules if name.partition(".")[0] in TRACKERS]:
            patched.delitem(sys.modules, name)
        patched.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
        return fine(root, "train", NAME, f"track=[{{type: mlflow, uri: '{address}'}}]")


@pytest.mark.parametrize(
    "fault",
    ["hangs", pytest.param("refuses", marks=pytest.mark.slow), pytest.param("500", marks=pytest.mark.slow)],
)
def test_the_run_is_the_same_and_all_of_it_is_kept(
    fault: str, done: Path, lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(Tracking("good" if fault == "refuses" else fault)) as state, socket.socket() as nobody:  # type: ignore[arg-type]
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}" if fault == "refuses" else state.url
        said = trained(lab, address, monkeypatch)
    assert losses(lab) == losses(done) and len(losses(lab)) == 7
    weights = [
        next(root.glob(f"checkpoints/{NAME}/*/final/adapter_model.safetensors")).read_bytes() for root in (lab, done)
    ]
    assert weights[0] == weights[1]
    (run,) = runs_of(lab)
    warnings = [line for line in said.out.splitlines() if line.startswith("warning: mlflow")]
    assert len(warnings) == 1 and f"({address}) lacks 7 lines and 3 files" in warnings[0]
    assert f"`dadeum track send {run.name}` sends it" in warnings[0]
    assert run.record()["status"] == "finished" and not state.metrics


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Of a run with more lines than go into one call."""
    return make_evidence(tmp_path, lines(*range(1, 501), every=50))


def begun(evidence: Path, state: Tracking) -> Senders:
    if read_position(evidence, "mlflow") is None:
        Position({"type": "mlflow", "uri": state.url, "experiment": None}, state.url).write(evidence)
    made = Senders(evidence, ["mlflow"])
    made.start()
    made.end()
    return made


def arrived(state: Tracking, evidence: Path) -> None:
    """Everything, each point once, in one run."""
    assert state.losses() == {step: 1 / step for step in range(1, 501)} and len(state.losses("validation_loss")) == 10
    assert list(state.runs) == ["r1"] and state.runs["r1"]["status"] == "FINISHED"
    assert state.params["train.seed"] == "1" and state.losses("evaluation/tuned/rougeL") == {500: 0.25}
    assert set(state.files) == {"config.yaml", "evaluation/comparison.json", "training_stats.json"}
    assert read_position(evidence, "mlflow").status == "finished"  # type: ignore[union-attr]


def test_it_hangs_in_the_middle_and_what_is_missing_is_sent_once_later(evidence: Path) -> None:
    """Killed while it hangs after the first batch, then well: 'sent' means sent once."""
    with serve(Tracking(after=1, then="hangs")) as state:
        first = begun(evidence, state)
        assert state.hung.wait(300)
        first.stop()  # what a run does that has waited long enough
        assert all(child.returncode == -signal.SIGKILL for child in first.children.values())
        assert (
            0 < len(state.losses()) < 500 and first.lacking()[0].lines > 0 and state.runs["r1"]["status"] == "RUNNING"
        )
        state.released.set()
        state.mode, state.after = "good", None
        begun(evidence, state).wait(None)
        arrived(state, evidence)


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_it_answers_500_in_the_middle_or_at_the_end(after: int, evidence: Path) -> None:
    with serve(Tracking(after=after, then="500")) as state:
        first = begun(evidence, state)
        first.wait(None)
        assert first.lacking() and state.runs["r1"]["status"] == "RUNNING" and "500" in first.lacking()[0].why
        state.mode, state.after = "good", None
        begun(evidence, state).wait(None)
        arrived(state, evidence)


STARTER = """
import json, os, socket, sys, time
from pathlib import Path
from dadeum.track.senders import Senders
from dadeum.track.sinks import SINKS
evidence = Path(sys.argv[1])
(evidence / ".lock").write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}), encoding="utf-8")
Senders(evidence, ["tensorboard"]).start()
print("ready", flush=True)
time.sleep(1000)
"""


def test_a_run_that_is_killed_leaves_a_sender_that_ends_by_itself_and_the_next_one_goes_on(tmp_path: Path) -> None:
    """B12: the pipe closes with the process, whatever ended it."""
    evidence = make_evidence(tmp_path, lines(1, 2, 3, 4, 5), status="started")
    Position({"type": "tensorboard"}, "tensorboard/").write(evidence)
    with subprocess.Popen([sys.executable, "-c", STARTER, str(evidence)], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None and run.stdout.readline() == b"ready\n"
        run.kill()
    until(lambda: noted(evidence).status == "killed")
    assert steps(evidence) == [1, 2, 3, 4, 5]
    write_lines(evidence, lines(1, 2, 3))  # the checkpoint was after the third step
    write_lines(evidence, lines(4, 5, 6, 7), mode="a")
    (evidence / "manifest.json").write_text('{"status": "finished"}', encoding="utf-8")
    assert "everything is sent" in fine(tmp_path, "track", "send", evidence.name).out
    assert steps(evidence) == [1, 2, 3, 4, 5, 6, 7] and noted(evidence).status == "finished"


def test_a_sender_that_is_killed_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "WAIT", 600.0)
    evidence, said = make_evidence(tmp_path, lines(1, 2, 3), status="started"), Kept()
    made: list[Senders] = []
    monkeypatch.setattr(senders, "Senders", lambda *words: made.append(Senders(*words)) or made[-1])
    with senders.tracked([SINKS.validate("tensorboard")], evidence, said):
        until(lambda: noted(evidence).training == 3)
        made[0].children["tensorboard"].kill()
        made[0].children["tensorboard"].wait()
        write_lines(evidence, lines(4, 5), mode="a")
    assert steps(evidence) == [1, 2, 3, 4, 5] and said.warnings == []


def until(true: Callable[[], bool]) -> None:
    """Wait for another process."""
    for _ in range(6000):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def noted(evidence: Path) -> Position:
    """What the sender wrote down."""
    found = read_position(evidence, "tensorboard")
    assert found is not None
    return found


def steps(evidence: Path) -> list[int]:
    """Of the losses in TensorBoard's file."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(os.fspath(evidence / "tensorboard"))
    read.Reload()
    return [event.step for event in read.Scalars("loss")]


@pytest.mark.parametrize(
    ("track", "told"),
    [
        ("[{type: mlflow, uri: 'http://me:canary@h:1'}]", "track.0.uri: found a name or password in the address"),
        ("[{type: mlflow, uri: 'mlruns'}]", "track.0.uri: found 'mlruns', expected an address that begins with"),
        ("[{type: mlflow, url: 'http://h'}]", "track.0.url: found an unknown key"), ("[mlfow]", "did you mean 'mlflow'?"),
        ("[{type: wandb, mode: online}]", "mode: found 'online' without a key"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_runs(
    track: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    root = make_workspace(tmp_path / "lab")
    said = cli(root, "train", NAME, f"track={track}")
    assert said.code == 2 and len(said.errors) == 1 and told in said.errors[0] and "canary" not in said.err
    assert not (root / "experiments").exists() and not (root / "data").exists()
