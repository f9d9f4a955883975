"""`dadeum run` killed for real at named points, and run again: it goes on, and ends where an undisturbed run ends.

LoRA with dropout: without the restored random states the weights would differ.
"""

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.run import children
from tests.run.lab import NAME, child, make_workspace, runs_of, stale, whole_artifacts

SAVE_STEPS = 2
# Where a training may die: mid-epoch after a checkpoint, in a save before and after the rename, in an evaluation.
TRAINING = ["train.step:4", "save.before_rename", "save.after_rename", "final.before_rename"]
QUICK = ["evaluate.before_write", *TRAINING, "evaluate.before_write", "export.before_rename"]
SWEEP = [
    "preprocess.before_rename",
    "preprocess.after_rename",
    "format.written",
    "format.before_rename",
    "format.after_rename",
    "evaluate.before_write",
    "train.micro_step",
    "train.step:2",
    *TRAINING,
    "evaluate.validation",
    "final.after_rename",
    "evaluate.before_write:2",
    "compare.before_write",
    "export.written",
    "export.before_rename",
    *(f"artifact.between_renames:{count}" for count in range(1, 9)),
    "export.after_rename",
]


def losses(root: Path) -> list[dict[str, Any]]:
    """The lines of the metrics, without what is measured by a clock."""
    (run,) = runs_of(root)
    lines = [json.loads(line) for line in (run.evidence / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    clock = ("seconds", "time", "memory", "per_second")
    return [{k: v for k, v in line.items() if not any(word in k for word in clock)} for line in lines]


def weights(root: Path) -> dict[str, bytes]:
    (run,) = runs_of(root)
    found = [*run.final.glob("*.safetensors"), *(run.checkpoints / "merged").glob("*.safetensors")]
    return {f.relative_to(run.checkpoints).as_posix(): f.read_bytes() for f in found}


def scores(root: Path) -> Any:
    (run,) = runs_of(root)
    return json.loads((run.evaluation / "comparison.json").read_text(encoding="utf-8"))["metrics"]


def continued(root: Path) -> list[int]:
    """The steps after which the logs say that training went on."""
    (run,) = runs_of(root)
    text = "".join(log.read_text(encoding="utf-8") for log in sorted(run.evidence.glob("training_*.log")))
    return [int(n) for n in re.findall(r"continues after step (\d+)", text)]


def same_end(root: Path, done: Path) -> None:
    assert losses(root) == losses(done)
    assert weights(root) == weights(done) and len(weights(root)) == 2
    assert scores(root) == scores(done)
    assert stale(root) == [] and runs_of(root)[0].record()["status"] == "finished"
    whole_artifacts(root)


def kill_at(root: Path, points: list[str]) -> None:
    for point in points:
        code, said = children.run(root, "run", NAME, fault=point)
        assert code == -signal.SIGKILL, f"{point}: {code}\n{said}"
    code, said = children.run(root, "run", NAME)
    assert code == 0, said


def test_killed_again_and_again(written: Path, done: Path) -> None:
    kill_at(written, QUICK)
    same_end(written, done)
    # Killed before step 4: on from 2. Killed in the save of 4, before its rename: what was whole is put into its place,
    # on from 4. Killed after the save of 6: nothing is left to train. The last kill left a whole `final` to be renamed.
    assert continued(written) == [2, 4, 6]


@pytest.mark.slow
@pytest.mark.parametrize("point", SWEEP)
def test_killed_once(written: Path, done: Path, point: str) -> None:
    kill_at(written, [point])
    same_end(written, done)


def test_the_program_itself(written: Path, done: Path) -> None:
    """`python -m dadeum`, killed mid-epoch."""
    assert child(written, "run", NAME, environment={"DADEUM_FAULT_POINT": "train.step:4"}).returncode == -signal.SIGKILL
    said = child(written, "run", NAME)
    assert said.returncode == 0 and said.stderr == b"", said.stderr.decode()
    assert "goes on after step 2" in said.stdout.decode() and "▶ eval base" not in said.stdout.decode()
    assert continued(written) == [2]
    same_end(written, done)


LONG = ("train.max_steps=150", "train.save_steps=1000", "train.eval_steps=1000")


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_workspace(tmp_path_factory.mktemp("long") / "lab")
    code, said = children.run(root, "train", NAME, *LONG)
    assert code == 0, said
    return root


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_by_a_signal(written: Path, long_run: Path, number: signal.Signals, code: int) -> None:
    running = children.start(written, "train", NAME, *LONG)
    deadline = time.monotonic() + 600
    while not any(text.count("\n") > 5 for text in _metrics(written)):
        assert time.monotonic() < deadline and running.process.is_alive(), running.said
        time.sleep(0.01)
    assert running.process.pid is not None
    os.kill(running.process.pid, number)
    assert running.wait() == code, running.said
    errors = [line for line in running.said.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and "Traceback" not in running.said
    (run,) = runs_of(written)
    assert run.record()["status"] == "stopped"
    stopped_at = max(int(f.name.removeprefix("step-")) for f in run.checkpoints.glob("step-*"))
    assert 5 <= stopped_at < 150, "the last whole step was saved"
    again, said = children.run(written, "train", NAME, *LONG)
    assert again == 0 and f"goes on after step {stopped_at}" in said
    assert losses(written) == losses(long_run) and continued(written) == [stopped_at]
    assert (run.final / "adapter_model.safetensors").read_bytes() == (
        runs_of(long_run)[0].final / "adapter_model.safetensors"
    ).read_bytes()


def _metrics(root: Path) -> list[str]:
    return [f.read_text(encoding="utf-8") for f in root.glob("experiments/*/*/metrics.jsonl")]
