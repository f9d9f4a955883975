"""Distillation against TRL's GKD loss, in every cut of a step, asked anew and stored."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from dadeum.core.progress import Silent
from dadeum.train.context import Layout
from dadeum.train.loop import Loop
from dadeum.train.objectives import OBJECTIVES, _teacher
from dadeum.train.step import train
from tests.train.objectives.distilled import formatted, job_of, loop_of, one_step, same, teacher
from tests.train.support import metrics, tensors

__all__ = ["formatted", "teacher"]
MEMBER = OBJECTIVES.member("distillation")


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


def test_alpha_of_one_leaves_the_labels_out() -> None:
    settings = MEMBER.Settings(teacher_model_name_or_path="a/b", alpha=1.0)
    batch = {"weights": torch.tensor([[0.0, 0.5, 1.0]])}
    assert MEMBER.weigh(settings, batch) == {"divergence": (1.5, 1.0)}
    assert MEMBER.teacher(settings) == ("a/b", "main")
    assert MEMBER.pinned(settings, "c0ffee").teacher_model_revision == "c0ffee"
