"""B6: a loss or gradient that is not finite moves no weight; three in a row end the run, named, with checkpoints intact."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dadeum.core.artifact import damage
from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.train.loop import Loop
from dadeum.train.order import Order
from dadeum.train.processes import Processes
from dadeum.train.state import checkpoints
from dadeum.train.step import prepare, train
from tests.train.support import Told, make_formatted, make_job, metrics


def _poison(monkeypatch: pytest.MonkeyPatch, rows: set[int], value: float, *, gradient: bool = False) -> None:
    """The forward pass of these rows gives `value` (or a gradient of it) instead of a loss."""
    honest = Loop.compute

    def compute(self: Loop, model: torch.nn.Module, batch: Any) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        sums, shown = honest(self, model, batch)
        if not rows & {int(i) for i in batch.rows} or not torch.is_grad_enabled():
            return sums, shown
        if gradient:
            sums["nll"].register_hook(lambda g: g * value)
            return sums, shown
        return {"nll": sums["nll"] * value}, shown

    monkeypatch.setattr(Loop, "compute", compute)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("gradient", [False, True])
def test_one_poisoned_batch_moves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, gradient: bool
) -> None:
    job = make_job(tmp_path, make_formatted(tmp_path), per_device_train_batch_size=2)
    bad = int(Order(22, 8, 42).of_step(1)[3])
    _poison(monkeypatch, {bad}, value, gradient=gradient)
    loop = prepare(job, Silent(), Processes(), {})
    assert loop._optimizer_step().updated
    state = {k: v.clone() for k, v in _moments(loop).items()}
    before = loop.weights_sha256
    report = loop._optimizer_step()
    assert not report.updated and loop.weights_sha256 == before
    assert all(torch.equal(v, state[k]) for k, v in _moments(loop).items())
    assert 100 + bad in report.source_rows and len(report.source_rows) == (8 if gradient else 2)
    assert loop._optimizer_step().updated and loop.weights_sha256 != before


def _moments(loop: Loop) -> dict[str, Tensor]:
    return {f"{i}.{k}": v for i, s in loop.optimizer.state_dict()["state"].items() for k, v in s.items()}


def test_a_single_one_is_left_out_with_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, told = make_job(tmp_path, make_formatted(tmp_path), max_steps=3), Told()
    _poison(monkeypatch, {int(Order(22, 8, 42).of_step(1)[0])}, float("nan"))
    stats = train(job, told).stats
    assert stats["steps_left_out"] == 1
    assert [w for w in told.warnings if "step 2: loss nan" in w and "source rows" in w]
    assert [line["loss"] is None for line in metrics(job) if "loss" in line] == [False, True, False]


def test_three_in_a_row_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps 3, 4 and 5; checkpoints stay whole, and going on from them ends the same way."""
    job = make_job(tmp_path, make_formatted(tmp_path), max_steps=9, save_steps=2.0, save_total_limit=9)
    order = Order(22, 8, 42)
    _poison(monkeypatch, {int(order.of_step(step)[0]) for step in (2, 3, 4)}, float("nan"))
    for _ in range(2):
        with pytest.raises(TrainError, match=r"step \d: loss nan.*source rows \d+.*not finite 3 times in a row"):
            train(job, Silent())
        found = checkpoints(job.checkpoints)
        assert found and all(damage(c.folder, c.manifest) is None for c in found)
        assert not job.final.exists()
    log = sorted(job.evidence.glob("training_*.log"))[-1].read_text(encoding="utf-8")
    assert "not finite 3 times in a row" in log and "Traceback" not in log


def test_an_overflow_of_fp16_is_no_failure(tmp_path: Path) -> None:
    """The scale's business: no update, no count, until a lower scale could not help either."""
    from dadeum.train.hooks.guard import PATIENCE, Guard, Settings
    from dadeum.train.loop import StepReport

    def report(overflow: bool) -> StepReport:
        return StepReport(1, 0.1, 2.0, 1e-3, float("inf"), 5, 5, 0.1, [101], updated=False, overflow=overflow)

    guard, loop = Guard(Silent()), None
    assert Settings().type == "guard"
    for _ in range(10):
        guard.on_step(loop, report(overflow=True))  # type: ignore[arg-type]
    for _ in range(PATIENCE - 1):
        guard.on_step(loop, report(overflow=False))  # type: ignore[arg-type]
    with pytest.raises(TrainError, match="101"):
        guard.on_step(loop, report(overflow=False))  # type: ignore[arg-type]
