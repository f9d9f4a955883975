"""A30: a run that is evaluated every two steps is, bit for bit, the run that is not."""

from pathlib import Path

import pytest

from dadeum.core.progress import Silent
from dadeum.train.step import train
from tests.train.support import make_formatted, make_job, metrics, tensors, trained

DROPOUT = {"attention_dropout": 0.3}


@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_trajectory_is_the_same(tmp_path: Path, checkpointing: bool) -> None:
    formatted = make_formatted(tmp_path)
    often, never = (
        make_job(
            tmp_path,
            formatted,
            run=name,
            eval_steps=every,
            max_steps=7,
            gradient_checkpointing=checkpointing,
            config=DROPOUT,
            adapter={"type": "lora", "r": 4, "lora_dropout": 0.2},
        )
        for name, every in (("often", 2.0), ("never", 100.0))
    )
    for job in (often, never):
        train(job, Silent())
    assert [line["step"] for line in metrics(often) if "validation_loss" in line] == [2, 4, 6, 7]
    assert trained(often, "loss", "grad_norm", "learning_rate") == trained(never, "loss", "grad_norm", "learning_rate")
    a, b = (tensors(job.final, "adapter_model.safetensors") for job in (often, never))
    assert a.keys() == b.keys() and all(a[name].equal(b[name]) for name in a)
