"""B5: resumed under other conditions, a training refuses and names the field; what changes no number is free."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.artifact import read_json, write_json
from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.train.job import TrainJob
from dadeum.train.state import checkpoints
from dadeum.train.step import train
from tests.train import children
from tests.train.support import Told, make_formatted, make_job, random_rows, trained


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> TrainJob:
    """Killed after step 3, with checkpoints at 2 and 3; nothing goes on from here itself."""
    root = tmp_path_factory.mktemp("stopped")
    job = make_job(root, make_formatted(root), save_steps=1.0, max_steps=5, adapter={"type": "lora", "r": 4})
    assert children.run(job, root / "said.json", "train.step:4")[0] == -9
    return job


def _copy(job: TrainJob, root: Path) -> TrainJob:
    shutil.copytree(job.checkpoints, root / "checkpoints")
    shutil.copytree(job.evidence, root / "evidence")
    return replace(job, checkpoints=root / "checkpoints", evidence=root / "evidence")


def _with(job: TrainJob, **changes: Any) -> TrainJob:
    return replace(job, train=type(job.train).model_validate({**job.train.model_dump(mode="json"), **changes}))


CHANGES = {
    "train.learning_rate": lambda job: _with(job, learning_rate=2e-3),
    "train.seed": lambda job: _with(job, seed=1),
    "train.total_train_batch_size": lambda job: _with(job, total_train_batch_size=4),
    "per_device_train_batch_size": lambda job: _with(job, per_device_train_batch_size=2),
    "train.max_steps": lambda job: _with(job, max_steps=9),
    "train.optim.weight_decay": lambda job: _with(job, optim={"type": "adamw", "weight_decay": 0.1}),
    "precision": lambda job: _with(job, precision="bf16"),
    "packing": lambda job: replace(job, packing=False),
    "max_length": lambda job: replace(job, max_length=64),
    "adapter.r": lambda job: replace(job, adapter=type(job.adapter)(type="lora", r=8)),
    "model.dtype": lambda job: replace(job, model=job.model.model_copy(update={"dtype": "bfloat16"})),
    "fingerprint": lambda job: replace(job, fingerprint="other"),
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_changed_setting_is_named(stopped: TrainJob, tmp_path: Path, field: str) -> None:
    job = CHANGES[field](_copy(stopped, tmp_path))
    before = json.dumps([c.manifest.created for c in checkpoints(job.checkpoints)])
    with pytest.raises(TrainError, match=f"'{field}' was"):
        train(job, Silent())
    assert json.dumps([c.manifest.created for c in checkpoints(job.checkpoints)]) == before
    assert not job.final.exists()


def test_other_rows_are_noticed(stopped: TrainJob, tmp_path: Path) -> None:
    job = replace(_copy(stopped, tmp_path), formatted=make_formatted(tmp_path, random_rows(22, seed=9)))
    with pytest.raises(TrainError, match="'data' was"):
        train(job, Silent())


def test_other_threads_are_noticed(stopped: TrainJob, tmp_path: Path) -> None:
    job, before = _copy(stopped, tmp_path), torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        with pytest.raises(TrainError, match="'threads' was"):
            train(job, Silent())
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("field", ["world_size", "device", "versions.torch", "versions.peft"])
def test_another_machine_is_noticed(stopped: TrainJob, tmp_path: Path, field: str) -> None:
    """As if the checkpoint had been written elsewhere."""
    job = _copy(stopped, tmp_path)
    for checkpoint in checkpoints(job.checkpoints):
        path = checkpoint.folder / "state" / "state.json"
        state = read_json(path)
        *outer, last = field.split(".")
        place = state["conditions"]
        for key in outer:
            place = place[key]
        place[last] = "another"
        write_json(path, state)
        manifest = read_json(checkpoint.folder / "manifest.json")
        del manifest["files"]["state/state.json"]
        write_json(checkpoint.folder / "manifest.json", manifest)
    with pytest.raises(TrainError, match=f"'{field}' was 'another'"):
        train(job, Silent())


def test_intervals_may_change(stopped: TrainJob, tmp_path: Path) -> None:
    job = _with(_copy(stopped, tmp_path), logging_steps=2, eval_steps=2.0, save_steps=4.0, save_total_limit=5)
    told = Told()
    assert train(job, told).stats["optimizer_steps"] == 5
    assert told.notes[-1] == "goes on after step 3"


def test_each_row_is_seen_once_an_epoch(stopped: TrainJob, tmp_path: Path) -> None:
    """22 rows, steps of 8: three steps are the first epoch, the kill lay at its end; the counts are those of the file."""
    job = _copy(stopped, tmp_path)
    train(job, Silent())
    whole = make_job(
        tmp_path, job.formatted, run="whole", save_steps=1.0, max_steps=5, adapter={"type": "lora", "r": 4}
    )
    train(whole, Silent())
    assert trained(job, "tokens", "trained_tokens", "loss") == trained(whole, "tokens", "trained_tokens", "loss")


def test_two_processes_do_not_continue_one(stopped: TrainJob, tmp_path: Path) -> None:
    job = _copy(stopped, tmp_path)
    assert children.wait(children.together(job, tmp_path)) == [2, 2]
    assert "'world_size' was 1 and now is 2" in children.said(tmp_path / "said-0.json")
