"""A33: the learning rate of each update is the closed form of its number, for any accumulation and partial windows."""

import math
from pathlib import Path

import pytest
import torch

from dadeum.core.progress import Silent
from dadeum.train.loop import Loop
from dadeum.train.step import train
from tests.train.support import make_formatted, make_job, trained

WARMUP, STEPS, PEAK = 3, 11, 1e-3


def _cosine(step: int) -> float:
    """Linear warm-up, then half a cosine to zero: `step` updates are done already."""
    if step < WARMUP:
        return PEAK * step / WARMUP
    return PEAK * 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


@pytest.mark.parametrize("size", [8, 2])
@pytest.mark.parametrize("skipped", [None, 4])
def test_rates_are_the_closed_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, skipped: int | None
) -> None:
    """Also around a step that was left out: the schedule goes by the data, and ends where it should."""
    used: list[float] = []
    honest = torch.optim.AdamW.step

    def noting(self: torch.optim.AdamW, *args: object) -> object:
        used.append(self.param_groups[0]["lr"])
        return honest(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(torch.optim.AdamW, "step", noting)
    loss = Loop._loss
    monkeypatch.setattr(Loop, "_loss", lambda self, *args: float("nan") if self.step == skipped else loss(self, *args))
    job = make_job(
        tmp_path,
        make_formatted(tmp_path),
        max_steps=STEPS,
        warmup_steps=float(WARMUP),
        per_device_train_batch_size=size,
        learning_rate=PEAK,
    )
    train(job, Silent())
    expected = [_cosine(step) for step in range(STEPS)]
    assert used == pytest.approx([rate for step, rate in enumerate(expected) if step != skipped], abs=1e-12)
    logged = [line[1] for line in trained(job, "learning_rate")]
    if skipped is None:
        assert logged == pytest.approx(expected, abs=1e-12)
