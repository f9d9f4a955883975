"""A6: the loss is normalised over the whole optimizer step, whatever the cut into micro-batches and processes."""

from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from dadeum.core.progress import Silent
from dadeum.train.job import TrainJob
from dadeum.train.loop import Loop
from dadeum.train.step import train
from tests.train import children
from tests.train.support import closeness, make_formatted, make_job, trained

STEPS = 20


def _same(ours: TrainJob, theirs: TrainJob) -> bool:
    """Loss and gradient norm of all steps: worst relative difference 1e-5, mean signed difference 1e-6."""
    a, b = (trained(job, "loss", "grad_norm") for job in (ours, theirs))
    assert len(a) == len(b) == STEPS
    measured = [closeness([x[i] for x in a], [y[i] for y in b]) for i in (1, 2)]
    return all(worst <= 1e-5 and drift <= 1e-6 for worst, drift in measured)


def test_every_cut_gives_the_same_run(tmp_path: Path) -> None:
    """22 rows in steps of 8: each third step is a partial window of 6. Two processes share them on gloo."""
    formatted = make_formatted(tmp_path)
    cuts = {8: "8x1", 4: "4x2", 1: "1x8"}
    jobs = {
        size: make_job(tmp_path, formatted, run=name, max_steps=STEPS, per_device_train_batch_size=size)
        for size, name in cuts.items()
    }
    for job in jobs.values():
        train(job, Silent())
    assert _same(jobs[4], jobs[8])
    assert _same(jobs[1], jobs[8])
    shared = make_job(tmp_path, formatted, run="2 processes", max_steps=STEPS, per_device_train_batch_size=2)
    codes = children.wait(children.together(shared, tmp_path))
    assert codes == [0, 0], [children.said(tmp_path / f"said-{rank}.json") for rank in (0, 1)]
    assert _same(shared, jobs[8])


def test_a_mean_of_each_micro_batch_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault itself, put in: the check above fails on it."""
    formatted = make_formatted(tmp_path)
    whole = make_job(tmp_path, formatted, run="8x1", max_steps=STEPS, per_device_train_batch_size=8)
    train(whole, Silent())
    honest = Loop._forward_backward

    def mean_of_means(self: Loop, batch: Any, factors: dict[str, float]) -> dict[str, Tensor]:
        rows = len(self.order.of_step(self.step))
        count = -(-rows // self.per_device)
        return honest(self, batch, {name: 1 / batch.weights[name][0] / count for name in factors})

    monkeypatch.setattr(Loop, "_forward_backward", mean_of_means)
    cut = make_job(tmp_path, formatted, run="1x8", max_steps=STEPS, per_device_train_batch_size=1)
    train(cut, Silent())
    assert not _same(cut, whole)
