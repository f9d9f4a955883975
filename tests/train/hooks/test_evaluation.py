"""The validation loss, and that scoring touches nothing."""

from pathlib import Path

import pytest
import torch

from dadeum.core.progress import Silent
from dadeum.data.samples import Samples
from dadeum.train.hooks.evaluation import Evaluation, untouched, validation_loss
from dadeum.train.processes import Processes
from dadeum.train.step import prepare, train
from tests.train import children
from tests.train.support import Told, make_formatted, make_job, metrics, random_rows


@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("size", [1, 3, 8])
def test_the_loss_is_that_of_a_hand_loop(tmp_path: Path, formatted: Path, packing: bool, size: int) -> None:
    """A27: nats per trained token over all tokens, the same for any batch size."""
    job = make_job(tmp_path, formatted, packing=packing, per_device_train_batch_size=size)
    loop = prepare(job, Silent(), Processes(), {})
    samples, total, count = Samples.open(formatted / "validation.arrow"), 0.0, 0
    with torch.no_grad():
        for ids, weights in (samples[i][:2] for i in range(len(samples))):
            tokens = torch.tensor(ids.astype("int64"))
            nll = -loop.module.eval()(input_ids=tokens[None]).logits[0].log_softmax(-1)
            for place in range(1, len(ids)):
                if weights[place] > 0:
                    total += float(nll[place - 1, tokens[place]])
                    count += 1
    assert validation_loss(loop) == pytest.approx(total / count, rel=1e-6)


def test_two_processes_agree_with_one(tmp_path: Path) -> None:
    """Also where one of them has a row less than the other, or none."""
    for rows in (1, 5):
        formatted = make_formatted(tmp_path / str(rows), validation=random_rows(rows, seed=1))
        changes = {"max_steps": 2, "learning_rate": 0.0, "per_device_train_batch_size": 2}
        one, two = (make_job(tmp_path / str(rows), formatted, run=run, **changes) for run in ("one", "two"))
        train(one, Silent())
        assert children.wait(children.together(two, tmp_path)) == [0, 0]
        a, b = ([m["validation_loss"] for m in metrics(j) if "validation_loss" in m] for j in (one, two))
        assert len(a) == 1 and a == pytest.approx(b, rel=1e-6)


def test_flags_of_single_modules_come_back() -> None:
    """A module that was in evaluation mode inside a training model stays there."""
    model = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Dropout(0.5)).train()
    model[1].eval()
    with untouched(model):
        assert not any(m.training for m in model.modules())
    assert [m.training for m in model.modules()] == [True, True, False]


def test_a_rising_loss_is_told_and_a_falling_one_is_not(tmp_path: Path, formatted: Path) -> None:
    loop = prepare(make_job(tmp_path, formatted), Silent(), Processes(), {})
    for losses, warned in (([3.0, 2.0, 2.5, 2.6], True), ([3.0, 2.0, 2.5, 2.4], False), ([2.0, 2.1], False)):
        told = Told()
        loop.validation = {10 * (i + 1): loss for i, loss in enumerate(losses)}
        loop.step = 10 * len(losses)
        Evaluation(told)._warn(loop)
        assert bool(told.warnings) is warned
        if warned:
            assert "it was best at step 20 (2.0000)" in told.warnings[0]
