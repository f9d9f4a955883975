"""Precisions, and fp16's scale."""

import math
from pathlib import Path

import pytest
import torch

from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.train import precision
from dadeum.train.precision import Arithmetic, resolve
from dadeum.train.step import train
from tests.train.support import closeness, make_job, trained

CPU = torch.device("cpu")


def test_auto_is_fp32_on_a_cpu_and_short_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve("auto", CPU) == "fp32"
    for has, expected in ((True, "bf16"), (False, "fp16")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda has=has, **_: has)
        assert resolve("auto", torch.device("cuda")) == expected


def test_fp16_on_a_cpu_is_one_sentence(tmp_path: Path, formatted: Path) -> None:
    job = make_job(tmp_path, formatted, precision="fp16")
    with pytest.raises(TrainError, match="needs a GPU"):
        train(job, Silent())
    assert not list(job.checkpoints.glob("*"))


def test_the_scaled_loop_follows_the_plain_one(
    tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of fp16 on a CPU, where only our refusal stands in its way: scale, unscale, clip, step, lower the scale."""
    plain = make_job(tmp_path, formatted, run="fp32", max_steps=8)
    train(plain, Silent())
    monkeypatch.setattr(precision, "resolve", lambda *_: "fp16")
    job = make_job(tmp_path, formatted, run="fp16", max_steps=8)
    stats = train(job, Silent()).stats
    assert stats["precision"] == "fp16"
    losses = [[line[1] for line in trained(j, "loss")] for j in (job, plain)]
    done = stats["steps_left_out"]
    assert done < 4, "the first scale may overflow a few times"
    assert closeness(losses[0][:1], losses[1][:1])[0] < 0.01
    assert losses[0][-1] < losses[0][0]


def test_an_overflow_lowers_the_scale_and_moves_nothing() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    arithmetic = Arithmetic("fp16", CPU)
    scale = arithmetic.scaler.get_scale()
    arithmetic.scaler.scale((weight * torch.tensor([1.0, math.inf])).sum()).backward()  # type: ignore[no-untyped-call]
    arithmetic.scaler.unscale_(optimizer)
    assert arithmetic.may_overflow
    assert not arithmetic.step(optimizer, finite=False)
    assert arithmetic.scaler.get_scale() == scale / 2 and weight.tolist() == [1.0, 1.0]


def test_a_scale_below_one_can_help_no_more() -> None:
    arithmetic = Arithmetic("fp16", CPU)
    arithmetic.scaler.scale(torch.ones(1))
    arithmetic.scaler.update(0.5)
    assert not arithmetic.may_overflow
    assert not Arithmetic("fp32", CPU).may_overflow
