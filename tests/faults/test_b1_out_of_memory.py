"""B1: rows that are too long for the memory are found before the first step, whatever order they come in; and later it is said."""

from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.artifact import damage
from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.train.loop import Loop
from dadeum.train.state import checkpoints
from dadeum.train.step import train
from tests.train.support import make_formatted, make_job


def _room(monkeypatch: pytest.MonkeyPatch, tokens: int, after: int = 0) -> list[int]:
    """A micro-batch of more tokens does not fit, once `after` steps are done; returns the steps at which one came."""
    honest, came = Loop.compute, []

    def compute(self: Loop, model: Any, batch: Any) -> Any:
        came.append(self.step)
        if batch.tokens > tokens and self.step >= after:
            raise torch.OutOfMemoryError("CUDA out of memory (injected)")
        return honest(self, model, batch)

    monkeypatch.setattr(Loop, "compute", compute)
    return came


@pytest.mark.parametrize(
    ("size", "cure"), [(4, "train.per_device_train_batch_size to 2"), (1, "lower data.max_length")]
)
def test_before_the_first_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, cure: str) -> None:
    """Only the longest rows are too long, and they are not in the first step alone."""
    came = _room(monkeypatch, 4 * 25 if size == 4 else 59)
    job = make_job(tmp_path, make_formatted(tmp_path), per_device_train_batch_size=size)
    with pytest.raises(TrainError, match=rf"the longest samples \(60.* tokens\), {size} at once, do not fit .*{cure}"):
        train(job, Silent())
    assert came == [0] and not list(job.checkpoints.glob("step-*"))


def test_in_the_middle_the_last_checkpoint_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(
        tmp_path,
        make_formatted(tmp_path),
        per_device_train_batch_size=4,
        max_steps=6,
        save_steps=1.0,
        save_total_limit=9,
    )
    _room(monkeypatch, 0, after=2)
    with pytest.raises(TrainError, match=r"step 3: the memory ran out; set train.per_device_train_batch_size to 2"):
        train(job, Silent())
    found = checkpoints(job.checkpoints)
    assert [c.step for c in found] == [1, 2] and all(damage(c.folder, c.manifest) is None for c in found)
    assert not job.final.exists()
