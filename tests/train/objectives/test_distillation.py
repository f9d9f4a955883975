"""Distillation against TRL's GKD loss, in every cut of a step, asked anew and stored; and the teachers that it refuses."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from dadeum.core.artifact import read_manifest
from dadeum.core.errors import ModelError, TrainError
from dadeum.core.progress import Silent
from dadeum.tokenizer.load import load_tokenizer
from dadeum.train.context import Context, Layout
from dadeum.train.hooks.evaluation import validation_loss
from dadeum.train.job import TrainJob
from dadeum.train.loop import Loop
from dadeum.train.objectives import OBJECTIVES, _teacher
from dadeum.train.processes import Processes
from dadeum.train.step import prepare, train
from tests.train.support import LLAMA, Told, make_formatted, make_job, metrics, random_rows, save_tokenizer, tensors

MEMBER = OBJECTIVES.member("distillation")


def make_teacher(folder: Path, **changes: Any) -> Path:
    """A wider Llama with the tokenizer of the rows, seven rows of padding, and something to say."""
    from transformers import AutoConfig, AutoModelForCausalLM

    save_tokenizer(folder)
    rows = len(load_tokenizer(folder)) + 7
    config = AutoConfig.for_model(**{**LLAMA, "hidden_size": 96, "vocab_size": rows, **changes})
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config)
    model.lm_head.weight.data.mul_(30)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_teacher(tmp_path_factory.mktemp("teacher"))


@pytest.fixture(scope="session")
def formatted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows with weights of their own."""
    rows = [(ids, [w * (0.5 if n % 3 else 1.0) for w in ws]) for n, (ids, ws) in enumerate(random_rows(22))]
    return make_formatted(tmp_path_factory.mktemp("data"), rows)


def job_of(root: Path, formatted: Path, teacher: Path, run: str = "run", **changes: Any) -> TrainJob:
    from dataclasses import replace

    names = ("divergence", "beta", "temperature", "alpha", "store_top_k")
    own = {name: changes.pop(name) for name in names if name in changes}
    objective = {"type": "distillation", "teacher_model_name_or_path": str(teacher), **own}
    return replace(make_job(root, formatted, run, objective=objective, **changes), teacher_place=teacher)


def loop_of(*given: Any, **changes: Any) -> Loop:
    return prepare(job_of(*given, **changes), Silent(), Processes(), {})


def one_step(*given: Any, **changes: Any) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss of a step of eight rows, and all gradients."""
    loop = loop_of(*given, max_grad_norm=0.0, **changes)
    kept: dict[str, torch.Tensor] = {}
    clip = loop._clip

    def keep() -> float:
        kept.update({n: p.grad.clone() for n, p in loop.module.named_parameters() if p.grad is not None})
        return clip()

    loop._clip = keep  # type: ignore[method-assign]
    return loop._optimizer_step().loss, kept


def same(one: Any, other: Any, tolerance: float = 1e-5) -> None:
    assert one[0] == pytest.approx(other[0], rel=tolerance)
    assert one[1].keys() == other[1].keys() and one[1]
    for name, gradient in one[1].items():
        largest = float(gradient.abs().max())
        assert torch.allclose(gradient, other[1][name], rtol=10 * tolerance, atol=tolerance * largest), name


@pytest.mark.parametrize(("divergence", "beta"), [("forward_kl", 0.0), ("reverse_kl", 1.0), ("jensen_shannon", 0.3)])
@pytest.mark.parametrize("packing", [True, False])
def test_loss_and_gradients_are_trls(
    tmp_path: Path, formatted: Path, teacher: Path, packing: bool, divergence: str, beta: float
) -> None:
    """On the same rows, each read alone by plain transformers; weighted, with T² and beside the labels' loss."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from trl.experimental.gkd import GKDTrainer

    temperature, alpha = 2.0, 0.7
    how = {
        "divergence": divergence,
        "temperature": temperature,
        "alpha": alpha,
        **({"beta": beta} if 0 < beta < 1 else {}),
    }
    loop = loop_of(tmp_path, formatted, teacher, **how)
    settings = loop.job.train.objective
    entries = [loop.samples[i] for i in range(6)]
    batch = MEMBER.collate(settings, entries, Layout(packing, 0))
    sums, _ = MEMBER.compute(settings, loop.module, batch, loop.context)
    terms = MEMBER.weigh(settings, batch)
    assert {name: c for name, (_, c) in terms.items()} == {"divergence": 0.7, "nll": pytest.approx(0.3)}
    loss = sum(coefficient * sums[name] / weight for name, (weight, coefficient) in terms.items())
    loss.backward()
    found = {name: p.grad.clone() for name, p in loop.module.named_parameters()}
    loop.module.zero_grad()
    other, rows = loop.context.prepared.model, loop.module.config.vocab_size
    total, weight = torch.zeros(()), 0.0
    for entry in entries:
        ids, weights = (
            torch.from_numpy(entry.input_ids.astype("int64"))[None],
            torch.from_numpy(entry.weights[1:].copy()),
        )
        mine = loop.module(input_ids=ids).logits[0, :-1]
        with torch.no_grad():
            theirs = other(input_ids=ids).logits[0, :-1, :rows]
        apart = GKDTrainer.generalized_jsd_loss(mine, theirs, beta=beta, temperature=temperature, reduction="none")
        hard = cross_entropy(mine, ids[0, 1:], reduction="none")
        each = alpha * temperature**2 * apart.sum(-1) + (1 - alpha) * hard
        total, weight = total + (each * weights).sum(), weight + float(weights.sum())
    (total / weight).backward()
    assert float(loss.detach()) == pytest.approx(float(total.detach()) / weight, rel=1e-5)
    for name, parameter in loop.module.named_parameters():
        largest = float(parameter.grad.abs().max())
        assert torch.allclose(found[name], parameter.grad, rtol=1e-4, atol=1e-5 * largest), name


@pytest.mark.parametrize("k", [None, 5])
def test_the_cut_of_a_step_changes_nothing(tmp_path: Path, formatted: Path, teacher: Path, k: int | None) -> None:
    """8 × 1, 4 × 2, 1 × 8, packed and padded."""
    first = one_step(tmp_path, formatted, teacher, per_device_train_batch_size=8, store_top_k=k)
    for size, packing in ((4, True), (1, True), (8, False), (2, False)):
        changes = {"per_device_train_batch_size": size, "packing": packing, "store_top_k": k}
        same(first, one_step(tmp_path, formatted, teacher, **changes))


@pytest.mark.parametrize("divergence", ["forward_kl", "reverse_kl", "jensen_shannon"])
def test_what_is_stored_of_all_tokens_is_the_teacher(
    tmp_path: Path, formatted: Path, teacher: Path, divergence: str
) -> None:
    how = {"divergence": divergence, "temperature": 1.5}
    asked = one_step(tmp_path, formatted, teacher, **how)
    stored = one_step(tmp_path, formatted, teacher, "stored", store_top_k=10_000, **how)
    some = one_step(tmp_path, formatted, teacher, "some", store_top_k=3, **how)
    same(asked, stored)
    assert some[0] < stored[0]


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


def test_a_model_learns_what_its_teacher_says(tmp_path: Path, formatted: Path, teacher: Path) -> None:
    job = job_of(tmp_path, formatted, teacher, alpha=1.0, max_steps=30, learning_rate=1e-2)
    train(job, Silent())
    lines = [line for line in metrics(job) if "loss" in line]
    assert lines[-1]["loss"] < 0.7 * lines[0]["loss"]
    assert lines[0]["divergence"] == pytest.approx(lines[0]["loss"], rel=1e-4) and lines[0]["nll"] > 0


def test_a_resumed_run_reads_what_was_stored(
    tmp_path: Path, formatted: Path, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit by bit as one that was not stopped, and without its teacher."""
    settings = {"store_top_k": 4, "save_steps": 2, "eval_steps": 2}
    whole = train(job_of(tmp_path, formatted, teacher, "whole", **settings), Silent()).final
    job, steps = job_of(tmp_path, formatted, teacher, "cut", **settings), Loop._optimizer_step

    def stopping(self: Loop) -> Any:
        if self.step == 3:
            raise KeyboardInterrupt
        return steps(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "_optimizer_step", stopping)
        with pytest.raises(KeyboardInterrupt):
            train(job, Silent())
    monkeypatch.setattr(_teacher, "_loaded", lambda *_: pytest.fail("the teacher was loaded again"))
    resumed = train(job, Silent()).final
    for name, tensor in tensors(whole).items():
        assert torch.equal(tensor, tensors(resumed)[name]), name


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


def test_alpha_of_one_leaves_the_labels_out() -> None:
    settings = MEMBER.Settings(teacher_model_name_or_path="a/b", alpha=1.0)
    batch = {"weights": torch.tensor([[0.0, 0.5, 1.0]])}
    assert MEMBER.weigh(settings, batch) == {"divergence": (1.5, 1.0)}
    assert MEMBER.teacher(settings) == ("a/b", "main")
    assert MEMBER.pinned(settings, "c0ffee").teacher_model_revision == "c0ffee"
    assert Context().prepared is None
