"""A7: smoothed labels and a teacher's loss go through the same normalisation: no count is lost on the way."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.core.progress import Silent
from dadeum.train.job import TrainJob
from dadeum.train.step import train
from tests.train import children
from tests.train.objectives.distilled import formatted, job_of, teacher
from tests.train.support import closeness, make_job, trained

__all__ = ["formatted", "teacher"]
STEPS = 9


def same(ours: TrainJob, theirs: TrainJob) -> bool:
    """Loss and gradient norm of all steps."""
    a, b = (trained(job, "loss", "grad_norm") for job in (ours, theirs))
    assert len(a) == len(b) == STEPS
    measured = [closeness([x[i] for x in a], [y[i] for y in b]) for i in (1, 2)]
    return all(worst <= 1e-5 and drift <= 1e-6 for worst, drift in measured)


@pytest.mark.parametrize(
    "objective", [{"type": "sft", "label_smoothing": 0.1}, {"type": "pretrain", "label_smoothing": 0.1}]
)
def test_smoothed_labels(tmp_path: Path, formatted: Path, objective: dict[str, Any]) -> None:
    """22 rows in steps of 8, weighted: each third step is a partial window."""
    whole, *cuts = (
        make_job(tmp_path, formatted, f"{size}", objective=objective, max_steps=STEPS, per_device_train_batch_size=size)
        for size in (8, 4, 1)
    )
    train(whole, Silent())
    for job in cuts:
        train(job, Silent())
        assert same(job, whole)


def test_a_teacher_in_every_cut_and_in_two_processes(tmp_path: Path, formatted: Path, teacher: Path) -> None:
    """Of the processes one asks the teacher and stores, both read."""
    for k in (None, 4):
        settings = {"max_steps": STEPS, "store_top_k": k, "temperature": 2.0}
        jobs = [
            job_of(tmp_path, formatted, teacher, f"{k} {size}", per_device_train_batch_size=size, **settings)
            for size in (8, 1)
        ]
        for job in jobs:
            train(job, Silent())
        assert same(jobs[1], jobs[0])
    shared = job_of(tmp_path, formatted, teacher, "two", per_device_train_batch_size=2, **settings)
    codes = children.wait(children.together(shared, tmp_path))
    assert codes == [0, 0], [children.said(tmp_path / f"said-{rank}.json") for rank in (0, 1)]
    assert same(shared, jobs[0])
