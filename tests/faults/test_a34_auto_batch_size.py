"""A34: a smaller micro-batch after out-of-memory changes neither the total batch, the steps, the rates nor the result."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.train.job import TrainJob
from dadeum.train.loop import Loop
from dadeum.train.state import checkpoints
from dadeum.train.step import train
from tests.train.support import Told, make_formatted, make_job, metrics, tensors, trained


def _memory_for(monkeypatch: pytest.MonkeyPatch, samples: int, error: type[BaseException]) -> list[int]:
    """More than so many samples at once do not fit; returns the sizes that were tried."""
    honest, tried = Loop.compute, []

    def compute(self: Loop, model: Any, batch: Any) -> dict[str, Tensor]:
        tried.append(len(batch.rows))
        if len(batch.rows) > samples:
            raise error("CUDA out of memory (injected)")
        return honest(self, model, batch)

    monkeypatch.setattr(Loop, "compute", compute)
    return tried


def _run(tmp_path: Path, data: Path, run: str, size: int | str, told: Silent | None = None) -> TrainJob:
    job = make_job(
        tmp_path, data, run=run, per_device_train_batch_size=size, max_steps=6, config={"attention_dropout": 0.2}
    )
    train(job, told or Silent())
    return job


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError])
def test_halved_until_it_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    data, told = make_formatted(tmp_path), Told()
    given = _run(tmp_path, data, "given", 4)
    tried = _memory_for(monkeypatch, 4, error)
    auto = _run(tmp_path, data, "auto", "auto", told)
    assert tried[:2] == [8, 4]
    assert "4 samples at once on each device, 2 times a step" in told.notes
    columns = ("epoch", "loss", "grad_norm", "learning_rate", "tokens")
    assert trained(auto, *columns) == trained(given, *columns)
    a, b = tensors(auto.final), tensors(given.final)
    assert all(a[name].equal(b[name]) for name in a)
    assert "micro-batches of 4" in next(auto.evidence.glob("*.log")).read_text(encoding="utf-8")


def test_the_choice_is_kept_on_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stored in the checkpoint: more memory after the restart does not change the run."""
    data = make_formatted(tmp_path)
    with monkeypatch.context() as small:
        _memory_for(small, 2, torch.OutOfMemoryError)
        job = make_job(tmp_path, data, per_device_train_batch_size="auto", max_steps=4, save_steps=2.0)
        train(job, Silent())
    assert [c.state()["per_device_train_batch_size"] for c in checkpoints(job.checkpoints)] == [2, 2]
    before = metrics(job)
    for name in ("final", "step-000004"):
        import shutil

        shutil.rmtree(job.checkpoints / name)
    tried = _memory_for(monkeypatch, 8, torch.OutOfMemoryError)
    train(job, Silent())
    # The forward passes of training; evaluation has as many at once.
    assert tried[0] == 2 and max(tried) == 2
    times = ("tokens_per_second", "memory_bytes", "time")
    assert [{k: v for k, v in m.items() if k not in times} for m in metrics(job)] == [
        {k: v for k, v in m.items() if k not in times} for m in before
    ]


def test_one_sample_that_does_not_fit_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _memory_for(monkeypatch, 0, torch.OutOfMemoryError)
    with pytest.raises(TrainError, match="not even one sample of 60 tokens fits"):
        _run(tmp_path, make_formatted(tmp_path), "none", "auto")


def test_out_of_memory_in_a_given_size_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _memory_for(monkeypatch, 3, torch.OutOfMemoryError)
    with pytest.raises(TrainError, match=r"set train.per_device_train_batch_size to 2"):
        _run(tmp_path, make_formatted(tmp_path), "given", 4)


def test_a_size_beyond_the_step_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainError, match="only 8 samples on each device"):
        _run(tmp_path, make_formatted(tmp_path), "large", 9)
