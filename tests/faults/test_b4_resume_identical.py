"""B4 (and A31): killed mid-epoch and run again, a training is bit for bit the one that was never stopped."""

import re
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.artifact import read_json
from dadeum.train.job import TrainJob
from dadeum.train.state import checkpoints
from tests.train import children
from tests.train.support import make_formatted, make_job, metrics, tensors, trained

STEPS = 12
COMMON: dict[str, Any] = {
    "max_steps": STEPS,
    "save_steps": 2.0,
    "eval_steps": 3.0,
    "per_device_train_batch_size": 3,
    "config": {"attention_dropout": 0.3},
    "warmup_steps": 2.0,
}
KINDS = {
    "full packed": {"packing": True},
    "lora packed": {"packing": True, "adapter": {"type": "lora", "r": 4, "lora_dropout": 0.2}},
    "lora padded bf16": {
        "packing": False,
        "precision": "bf16",
        "adapter": {"type": "lora", "r": 4, "lora_dropout": 0.2},
    },
}


def _numbers(job: TrainJob) -> list[tuple[Any, ...]]:
    return trained(job, "epoch", "loss", "learning_rate", "grad_norm", "tokens", "trained_tokens")


def _same_end(job: TrainJob, whole: TrainJob) -> None:
    """Losses, weights, optimizer, random states, and each step once."""
    assert _numbers(job) == _numbers(whole)
    scores = [[(m["step"], m["validation_loss"]) for m in metrics(j) if "validation_loss" in m] for j in (job, whole)]
    assert scores[0] == scores[1]
    last = [checkpoints(j.checkpoints)[-1].folder for j in (job, whole)]
    for name in ("optimizer.safetensors", "rng-000.safetensors"):
        a, b = (tensors(folder / "state", name) for folder in last)
        assert a.keys() == b.keys() and all(a[key].equal(b[key]) for key in a)
    for folder in (last, [job.final, whole.final]):
        name = "adapter_model.safetensors" if job.adapter.type == "lora" else "model.safetensors"
        a, b = (tensors(place, name) for place in folder)
        assert a.keys() == b.keys() and all(a[key].equal(b[key]) for key in a)
    stats = [read_json(j.final / "training_stats.json") for j in (job, whole)]
    for key in ("tokens", "trained_tokens", "final_loss", "best_loss", "best_validation_loss", "optimizer_steps"):
        assert stats[0][key] == stats[1][key]


def _continued_after(job: TrainJob) -> list[int]:
    logs = sorted(job.evidence.glob("training_*.log"))
    text = "".join(log.read_text(encoding="utf-8") for log in logs)
    return [int(n) for n in re.findall(r"continues after step (\d+)", text)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_formatted(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("kind", KINDS)
def test_killed_again_and_again(tmp_path: Path, data: Path, kind: str) -> None:
    """Mid-epoch after a checkpoint, inside an accumulation, in a save before and after the rename, in an evaluation."""
    whole, job = (make_job(tmp_path, data, run=name, **COMMON, **KINDS[kind]) for name in ("whole", "killed"))
    assert children.run(whole, tmp_path / "whole.json") == (0, "")
    faults = ["train.step:4", "train.micro_step:5", "save.before_rename", "save.after_rename", "evaluate.validation:2"]
    for fault in [*faults, "final.before_rename"]:
        before = checkpoints(job.checkpoints)
        code, told = children.run(job, tmp_path / "killed.json", fault)
        assert (code, told) == (-9, ""), fault
        assert not job.final.exists()
        after = checkpoints(job.checkpoints)
        assert not before or after[-1].step >= before[-1].step
    assert children.run(job, tmp_path / "killed.json") == (0, "")
    _same_end(job, whole)
    # Each start went on from the newest checkpoint: at most one save interval was done twice. The last one only put
    # the whole final folder into its place.
    continued = _continued_after(job)
    assert len(continued) == len(faults) and continued == sorted(continued)
    assert children.run(job, tmp_path / "killed.json", "train.step") == (0, ""), "a finished run is not run again"


def test_an_adapter_continues_from_its_own_weights(tmp_path: Path, data: Path) -> None:
    """A31: the first resumed loss is the uninterrupted one, not that of a fresh adapter."""
    adapter = {"type": "lora", "r": 4}
    whole, job = (
        make_job(tmp_path, data, run=name, adapter=adapter, max_steps=6, save_steps=3.0, learning_rate=0.05)
        for name in ("whole", "killed")
    )
    children.run(whole, tmp_path / "whole.json")
    children.run(job, tmp_path / "killed.json", "train.step:5")
    assert checkpoints(job.checkpoints)[-1].step == 3
    children.run(job, tmp_path / "killed.json")
    assert _continued_after(job) == [3]
    assert _numbers(job)[3] == _numbers(whole)[3]
