"""B12: SIGTERM and SIGINT at any time leave a checkpoint of the last whole step; what is run again is the same run."""

import os
import signal
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from dadeum.core.artifact import damage
from dadeum.core.errors import Interrupted
from dadeum.core.progress import Silent
from dadeum.train.job import TrainJob
from dadeum.train.loop import Loop
from dadeum.train.state import checkpoints
from dadeum.train.step import train
from tests.train import children
from tests.train.support import make_formatted, make_job, metrics, tensors, trained

STEPS = 4000  # many more than are made until the signal comes
LONG = {"max_steps": STEPS, "save_steps": 9000.0, "eval_steps": 9000.0, "config": {"attention_dropout": 0.2}}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_formatted(tmp_path_factory.mktemp("data"))


def _when(child: ForkServerProcess, ready: Callable[[], bool]) -> None:
    limit = time.monotonic() + 600
    while not ready():
        assert child.is_alive() and time.monotonic() < limit
        time.sleep(0.01)


def _steps(job: TrainJob) -> int:
    return len(metrics(job)) if (job.evidence / "metrics.jsonl").is_file() else 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_the_last_whole_step(tmp_path: Path, data: Path, number: signal.Signals) -> None:
    job = make_job(tmp_path, data, per_device_train_batch_size=1, **LONG)
    child = children.start(job, tmp_path / "said.json")
    _when(child, lambda: _steps(job) >= 3)
    os.kill(child.pid or 0, number)
    assert children.wait([child]) == [128 + number]
    found = checkpoints(job.checkpoints)
    assert len(found) == 1 and damage(found[0].folder, found[0].manifest) is None
    assert found[0].step == len(metrics(job)) < STEPS
    assert f"stopped by {number.name} after step {found[0].step}, which is saved" in children.said(
        tmp_path / "said.json"
    )


def test_the_second_signal_ends_it_at_once(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one waits for a forward pass that never comes."""
    job = make_job(tmp_path, data, **LONG)
    child = children.start(job, tmp_path / "said.json", {"DADEUM_TEST_HANG": "1"})
    _when(child, lambda: (tmp_path / "said.json.hangs").exists())
    os.kill(child.pid or 0, signal.SIGTERM)
    _when(child, lambda: (tmp_path / "said.json.heard").exists())
    os.kill(child.pid or 0, signal.SIGTERM)
    assert children.wait([child]) == [-signal.SIGTERM]
    assert not checkpoints(job.checkpoints)


def _at(monkeypatch: pytest.MonkeyPatch, moment: Callable[[Loop], bool]) -> None:
    """SIGTERM once, before the first forward pass at which `moment` holds."""
    from dadeum.train.hooks.signals import Signals

    honest, sent = Signals.on_micro_step, []

    def on_micro_step(self: Signals, loop: Loop) -> None:
        if not sent and moment(loop):
            sent.append(1)
            os.kill(os.getpid(), signal.SIGTERM)
        honest(self, loop)

    monkeypatch.setattr(Signals, "on_micro_step", on_micro_step)


MOMENTS: dict[str, tuple[Callable[[Loop], bool], int]] = {
    "inside an accumulation": (lambda loop: loop.step == 4 and loop.module.training and _nth(loop, 2), 4),
    "inside an evaluation": (lambda loop: loop.step == 3 and not loop.module.training and _nth(loop, 2), 3),
    "before the first step": (lambda loop: loop.step == 0, 0),
}
_count: dict[str, int] = {}


def _nth(loop: Loop, wanted: int) -> bool:
    _count["passes"] = _count.get("passes", 0) + 1
    return _count["passes"] == wanted


@pytest.mark.parametrize("moment", MOMENTS)
def test_stopped_and_continued_is_the_same_run(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Dropout on: a step that was begun is forgotten with its draws, and an evaluation that was begun is done again."""
    _count.clear()
    changes = {"max_steps": 7, "eval_steps": 3.0, "save_steps": 5.0, "per_device_train_batch_size": 2}
    config = {"attention_dropout": 0.3}
    whole, job = (make_job(tmp_path, data, run=name, config=config, **changes) for name in ("whole", "stopped"))
    train(whole, Silent())
    when, step = MOMENTS[moment]
    _at(monkeypatch, when)
    with pytest.raises(Interrupted) as stop:
        train(job, Silent())
    assert stop.value.exit_code == 143
    assert [c.step for c in checkpoints(job.checkpoints)] == ([step] if step else [])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    train(job, Silent())
    assert trained(job, "loss", "grad_norm", "tokens") == trained(whole, "loss", "grad_norm", "tokens")
    scores = [[(m["step"], m["validation_loss"]) for m in metrics(j) if "validation_loss" in m] for j in (job, whole)]
    assert scores[0] == scores[1] and len(scores[0]) == 3
    a, b = tensors(job.final), tensors(whole.final)
    assert all(a[name].equal(b[name]) for name in a)


def test_all_processes_stop_when_one_is_told(tmp_path: Path, data: Path) -> None:
    job = make_job(tmp_path, data, per_device_train_batch_size=1, **LONG)
    both = children.together(job, tmp_path)
    _when(both[0], lambda: _steps(job) >= 3)
    os.kill(both[1].pid or 0, signal.SIGTERM)
    assert children.wait(both) == [143, 143]
    found = checkpoints(job.checkpoints)
    assert [c.step for c in found] == [len(metrics(job))]
    assert sorted(f.name for f in (found[0].folder / "state").glob("rng-*")) == [
        "rng-000.safetensors",
        "rng-001.safetensors",
    ]
    again = children.together(job, tmp_path)
    _when(again[0], lambda: _steps(job) >= found[0].step + 2)
    os.kill(again[0].pid or 0, signal.SIGINT)
    assert children.wait(again) == [130, 130]
    steps = [line["step"] for line in metrics(job)]
    assert steps == list(range(1, len(steps) + 1))
