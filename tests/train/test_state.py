"""Rotation, full disks, and what a checkpoint is."""

import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.artifact import read_json, write_json
from dadeum.core.errors import TrainError
from dadeum.core.progress import Silent
from dadeum.train import state
from dadeum.train.loop import Loop
from dadeum.train.processes import Processes
from dadeum.train.state import checkpoints, newest, rotate, write_checkpoint
from dadeum.train.step import prepare, train
from tests.train.support import make_job


def _loop(tmp_path: Path, formatted: Path, **changes: Any) -> Loop:
    return prepare(make_job(tmp_path, formatted, **changes), Silent(), Processes(), {})


@pytest.mark.parametrize(
    ("limit", "losses", "left"),
    [
        (2, {1: 3.0, 2: 1.0, 3: 2.0, 4: 2.5}, [2, 4]),
        (3, {1: 3.0, 2: 1.0, 3: 2.0, 4: 2.5}, [2, 3, 4]),
        (2, {}, [3, 4]),
        (1, {1: 1.0, 4: 2.0}, [1, 4]),
        (1, {4: 1.0}, [4]),
        (9, {}, [1, 2, 3, 4]),
    ],
)
def test_rotation_keeps_the_newest_and_the_best(
    tmp_path: Path, formatted: Path, limit: int, losses: dict[int, float], left: list[int]
) -> None:
    loop = _loop(tmp_path, formatted, save_total_limit=limit)
    loop.validation = losses
    for step in range(1, 5):
        loop.step = step
        write_checkpoint(loop)
    rotate(loop)
    assert [c.step for c in checkpoints(loop.job.checkpoints)] == left


def test_rotation_touches_nothing_that_is_not_its_own(tmp_path: Path, formatted: Path) -> None:
    """A link, a folder of somebody else and one of another kind stay, whatever their names say."""
    loop = _loop(tmp_path, formatted, save_total_limit=1)
    elsewhere = tmp_path / "precious"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x", encoding="utf-8")
    loop.step = 2
    write_checkpoint(loop)
    (loop.job.checkpoints / "step-000001").symlink_to(elsewhere)
    shutil.copytree(loop.job.checkpoints / "step-000002", loop.job.checkpoints / "step-000000")
    manifest = loop.job.checkpoints / "step-000000" / "manifest.json"
    write_json(manifest, {**read_json(manifest), "kind": "export"})
    loop.step = 3
    write_checkpoint(loop)
    rotate(loop)
    names = sorted(f.name for f in loop.job.checkpoints.iterdir())
    assert names == ["step-000000", "step-000001", "step-000003"]
    assert (elsewhere / "file").read_text(encoding="utf-8") == "x"
    found = newest(loop.job.checkpoints, Silent())
    assert found is not None and found.step == 3


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The need is named; the older checkpoint stays, and the run can go on from it."""
    loop = _loop(tmp_path, formatted)
    loop._optimizer_step()
    write_checkpoint(loop)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(state.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10_000_000))
    loop._optimizer_step()
    with pytest.raises(TrainError, match=r"0.01 GB free, but the next checkpoint needs 0.02 GB"):
        write_checkpoint(loop)
    monkeypatch.undo()
    found = newest(loop.job.checkpoints, Silent())
    assert found is not None and found.step == 1


@pytest.mark.parametrize("name", ["optimizer.safetensors", "state.json", "config.json"])
def test_a_write_that_fails_leaves_the_older_one(
    tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """No space left in the middle of it."""
    loop = _loop(tmp_path, formatted)
    loop._optimizer_step()
    write_checkpoint(loop)
    loop._optimizer_step()

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    target = {"optimizer.safetensors": "save_file", "state.json": "write_json", "config.json": "save_weights"}[name]
    monkeypatch.setattr(state, target, full)
    with pytest.raises(TrainError, match="No space left on device"):
        write_checkpoint(loop)
    assert [f.name for f in loop.job.checkpoints.iterdir()] == ["step-000001"]
    assert newest(loop.job.checkpoints, Silent()) is not None


def test_a_checkpoint_loads_as_a_model(tmp_path: Path, formatted: Path) -> None:
    """Weights of full fine-tuning stay float32, and the prompt lies beside them."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loop = _loop(tmp_path, formatted)
    loop._optimizer_step()
    folder = write_checkpoint(loop)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto")
    assert {p.dtype for p in model.parameters()} == {next(loop.module.parameters()).dtype}
    stored = dict(model.named_parameters())
    assert all(stored[name].equal(p) for name, p in loop.module.named_parameters())
    assert AutoTokenizer.from_pretrained(folder).chat_template
    assert (folder / "dadeum_prompt.json").is_file()
    assert sorted(f.suffix for f in (folder / "state").iterdir()) == [".json", ".safetensors", ".safetensors"]


def test_a_changed_base_is_noticed_before_the_first_step(
    tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was loaded is not what was saved: refused, whatever the reason."""
    job = make_job(tmp_path, formatted, save_steps=2.0, adapter={"type": "lora", "r": 4}, max_steps=4)
    train(job, Silent())
    shutil.rmtree(job.final)
    honest = state.restore

    def restore(loop: Loop, checkpoint: Any) -> None:
        next(p for p in loop.module.parameters() if p.requires_grad).data.view(-1)[0] += 1e-3
        honest(loop, checkpoint)

    monkeypatch.setattr(state, "restore", restore)
    with pytest.raises(TrainError, match="the loaded weights are not those that were saved"):
        train(job, Silent())
