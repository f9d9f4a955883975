"""B31: a second `dadeum run` of the same experiment is refused; a killed one is taken over."""

import json
import os
import signal
import time
from pathlib import Path

from tests.run import children
from tests.run.lab import NAME, cli, fine, runs_of

LONG = "train.max_steps=100000"


def test_the_second_is_refused_and_the_dead_one_recovered(written: Path) -> None:
    first = children.start(written, "train", NAME, LONG, "train.save_steps=10")
    deadline = time.monotonic() + 600
    while not list(written.glob("checkpoints/*/*/step-*/manifest.json")):
        assert time.monotonic() < deadline and first.process.is_alive(), first.said
        time.sleep(0.01)
    pid = first.process.pid or 0
    try:
        for verb in ("train", "run"):
            said = cli(written, verb, NAME, LONG, "train.save_steps=10")
            assert said.code == 2 and len(said.errors) == 1
            assert f"in use by process {pid}" in said.errors[0]
        (run,) = runs_of(written)
        assert run.record()["status"] == "started", "the refused one wrote nothing into the record"
        assert len(list(run.evidence.glob("run_*.log"))) == 1
        fine(written, "train", NAME)  # another experiment's settings are another run: they do not meet
    finally:
        os.kill(pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    lock = next(iter(run.evidence.glob(".lock")))
    assert json.loads(lock.read_text(encoding="utf-8"))["pid"] == pid
    code, said_again = _until_step(written)
    assert code == 143 and "goes on after step" in said_again and "in use" not in said_again
    assert not list(run.evidence.glob(".lock"))


def _until_step(root: Path) -> tuple[int, str]:
    second = children.start(root, "train", NAME, LONG, "train.save_steps=10")
    deadline = time.monotonic() + 600
    while "goes on after step" not in (second.said if (root / ".said").exists() else ""):
        assert time.monotonic() < deadline and second.process.is_alive(), second.said
        time.sleep(0.01)
    os.kill(second.process.pid or 0, signal.SIGTERM)
    return second.wait(), second.said
