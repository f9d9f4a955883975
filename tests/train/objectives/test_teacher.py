"""The teacher of a distillation: frozen, or stored row by row with the run; and the teachers that are refused."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.artifact import read_manifest
from dadeum.core.errors import ModelError, TrainError
from dadeum.core.progress import Silent
from dadeum.tokenizer.load import load_tokenizer
from dadeum.train.hooks.evaluation import validation_loss
from dadeum.train.objectives import _teacher
from dadeum.train.processes import Processes
from dadeum.train.step import prepare
from tests.train.objectives.distilled import formatted, job_of, loop_of, make_teacher, teacher
from tests.train.support import Told

__all__ = ["formatted", "teacher"]


def test_shards_hold_each_row_in_its_place(
    tmp_path: Path, formatted: Path, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, and for the validation part too."""
    losses = []
    for name, size in (("one", 1 << 26), ("many", 500)):
        monkeypatch.setattr(_teacher, "SHARD", size)
        monkeypatch.setattr(_teacher, "TOKENS", 64)
        loop = loop_of(tmp_path, formatted, teacher, name, store_top_k=6)
        folder = loop.job.checkpoints / "teacher"
        losses.append((loop._optimizer_step().loss, validation_loss(loop), len(list(folder.glob("train-*")))))
    assert losses[0][:2] == losses[1][:2]
    assert losses[0][2] == 1 and losses[1][2] > 3


def test_a_damaged_store_is_made_again(tmp_path: Path, formatted: Path, teacher: Path) -> None:
    job = job_of(tmp_path, formatted, teacher, store_top_k=3)
    prepare(job, Silent(), Processes(), {})
    file = job.checkpoints / "teacher" / "train-00000.safetensors"
    data = file.read_bytes()
    file.write_bytes(data[:-1] + b"x")
    prepare(job, Silent(), Processes(), {})
    assert file.read_bytes() == data and read_manifest(file.parent) is not None


def refused(error: type[Exception], *given: Any, **changes: Any) -> str:
    with pytest.raises(error) as caught:
        loop_of(*given, **changes)
    return str(caught.value)


def test_teachers_that_are_refused(tmp_path: Path, formatted: Path, teacher: Path) -> None:
    """Each in one sentence that names the setting, before the first step."""
    other = Path(shutil.copytree(teacher, tmp_path / "other"))
    tokenizer = load_tokenizer(other)
    tokenizer.add_tokens(["<new>"])
    tokenizer.save_pretrained(str(other))
    said = refused(ModelError, tmp_path, formatted, other)
    assert (
        said.startswith("train.objective.teacher_model_name_or_path: ")
        and "has another vocabulary than the model" in said
    )
    assert "1 tokens differ, first '<new>' is not in the model's, '<new>' is " in said
    small = make_teacher(tmp_path / "small", max_position_embeddings=32)
    said = refused(TrainError, tmp_path, formatted, small)
    assert "the longest sample has 60 tokens, but the teacher has only 32 positions" in said
    adapter = Path(shutil.copytree(teacher, tmp_path / "adapter"))
    (adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    assert "is an adapter, expected a whole model" in refused(ModelError, tmp_path, formatted, adapter)
    narrow = make_teacher(tmp_path / "narrow", vocab_size=50)
    assert "embedding has 50 rows" in refused(ModelError, tmp_path, formatted, narrow)


def test_no_room_for_what_is_stored(
    tmp_path: Path, formatted: Path, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
    said = refused(TrainError, tmp_path, formatted, teacher, store_top_k=8)
    assert "the teacher's most likely tokens need 0.00 GB" in said and "train.objective.store_top_k" in said


def test_the_teacher_is_frozen_and_its_memory_is_told(tmp_path: Path, formatted: Path, teacher: Path) -> None:
    told = Told()
    loop = prepare(job_of(tmp_path, formatted, teacher), told, Processes(), {})
    other = loop.context.prepared.model
    before = {name: p.clone() for name, p in other.named_parameters()}
    assert any("the teacher takes 0." in note or "MiB of memory" in note for note in told.notes)
    assert [n for n in told.notes if n.startswith("the teacher takes ")]
    loop._optimizer_step()
    assert not any(m.training for m in other.modules())
    for name, parameter in other.named_parameters():
        assert not parameter.requires_grad and parameter.grad is None and torch.equal(parameter, before[name])
    moved = {id(p) for group in loop.optimizer.param_groups for p in group["params"]}
    assert moved.isdisjoint(id(p) for p in other.parameters())
