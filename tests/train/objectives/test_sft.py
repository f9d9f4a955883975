"""Weights and sums of the negative log-likelihood; smoothed labels, noise, weights of messages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers.trainer_pt_utils import LabelSmoother

from dadeum.core.progress import Silent
from dadeum.data.contract import open_prompt
from dadeum.data.samples import Entry, Samples
from dadeum.train.context import Context, Layout
from dadeum.train.hooks.evaluation import validation_loss
from dadeum.train.loop import Loop
from dadeum.train.objectives import OBJECTIVES
from dadeum.train.processes import Processes
from dadeum.train.step import prepare, train
from tests.data.small import Data
from tests.train.support import make_job, tensors


def test_weights_are_weighed_as_targets() -> None:
    """A half-weighted token counts half, the first token of a sample never."""
    member = OBJECTIVES.member("sft")
    samples = [
        Entry(np.array([3, 4, 5], np.int32), np.array([1, 0.5, 1], np.float32), 0, 0),
        Entry(np.array([6, 7], np.int32), np.array([0, 1], np.float32), 1, 0),
    ]
    for packing in (True, False):
        batch = member.collate(member.Settings(), samples, Layout(packing, 0))
        assert member.weigh(member.Settings(), batch) == {"nll": (2.5, 1.0)}


def test_the_sum_is_the_weighted_loss(tmp_path: Path, formatted: Path) -> None:
    """Against the model's own loss where all weights are one."""
    loop = prepare(make_job(tmp_path, formatted), Silent(), Processes(), {})
    member = OBJECTIVES.member("sft")
    ids = np.arange(10, 30, dtype=np.int32)
    entry = Entry(ids, np.ones(20, np.float32), 0, 0)
    batch = member.collate(member.Settings(), [entry], Layout(True, 0))
    with torch.no_grad():
        sums, _ = member.compute(member.Settings(), loop.module, batch, Context())
        tokens = torch.tensor(ids.astype(np.int64))[None]
        expected = loop.module(input_ids=tokens, labels=tokens).loss * 19
    assert torch.allclose(sums["nll"], expected, rtol=1e-6)


def one_step(root: Path, formatted: Path, **changes: Any) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss of a step of eight rows, and all gradients before they are clipped."""
    loop = prepare(make_job(root, formatted, max_grad_norm=0.0, **changes), Silent(), Processes(), {})
    kept: dict[str, torch.Tensor] = {}
    clip = loop._clip

    def keep() -> float:
        kept.update({n: p.grad.clone() for n, p in loop.module.named_parameters() if p.grad is not None})
        return clip()

    loop._clip = keep  # type: ignore[method-assign]
    return loop._optimizer_step().loss, kept


def same(one: tuple[float, dict[str, torch.Tensor]], other: tuple[float, dict[str, torch.Tensor]]) -> None:
    assert one[0] == pytest.approx(other[0], rel=1e-6)
    assert one[1].keys() == other[1].keys() and one[1]
    for name, gradient in one[1].items():
        assert torch.allclose(gradient, other[1][name], rtol=1e-4, atol=1e-6 * float(gradient.abs().max())), name


def test_smoothed_labels_are_those_of_transformers(tmp_path: Path, formatted: Path) -> None:
    """Loss and gradients of Trainer's LabelSmoother on the same padded batch of full logits."""
    loop = prepare(make_job(tmp_path, formatted), Silent(), Processes(), {})
    member = OBJECTIVES.member("sft")
    loop.module.lm_head.weight.data.mul_(20)  # a model that is sure of something
    settings = member.Settings(label_smoothing=0.1)
    entries = [loop.samples[i] for i in range(5)]
    batch = member.collate(settings, entries, Layout(False, 0))
    sums, _ = member.compute(settings, loop.module, batch, Context())
    loss = sums["nll"] / member.weigh(settings, batch)["nll"][0]
    loss.backward()
    found = {name: p.grad.clone() for name, p in loop.module.named_parameters()}
    loop.module.zero_grad()
    labels = torch.where(batch["weights"] > 0, batch["input_ids"], -100)
    made = loop.module(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"])
    expected = LabelSmoother(epsilon=0.1)(made, labels, shift_labels=True)
    expected.backward()
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    for name, parameter in loop.module.named_parameters():
        assert torch.allclose(found[name], parameter.grad, rtol=1e-4, atol=1e-5 * float(parameter.grad.abs().max())), (
            name
        )
    with torch.no_grad():
        plain, _ = member.compute(member.Settings(), loop.module, batch, Context())
    assert float(plain["nll"]) != pytest.approx(float(sums["nll"].detach()), rel=1e-3)


@pytest.mark.parametrize("objective", [{"label_smoothing": 0.1}, {"neftune_noise_alpha": 5.0}])
def test_the_cut_of_a_step_changes_nothing(tmp_path: Path, formatted: Path, objective: dict[str, Any]) -> None:
    """8 × 1, 4 × 2, 1 × 8, packed and padded: also the noise is drawn sample by sample."""
    objective = {"type": "sft", **objective}
    first = one_step(tmp_path, formatted, objective=objective, per_device_train_batch_size=8)
    assert first[0] != pytest.approx(one_step(tmp_path, formatted)[0], rel=1e-4)
    for size, packing in ((4, True), (1, True), (8, False), (2, False)):
        cut = one_step(tmp_path, formatted, objective=objective, per_device_train_batch_size=size, packing=packing)
        same(first, cut)


def test_a_resumed_run_draws_the_same_noise(tmp_path: Path, formatted: Path) -> None:
    settings = {"objective": {"type": "sft", "neftune_noise_alpha": 5.0}, "save_steps": 2, "eval_steps": 2}
    whole = train(make_job(tmp_path, formatted, "whole", **settings), Silent()).final
    job = make_job(tmp_path, formatted, "cut", **settings)
    steps = Loop._optimizer_step

    def stopping(self: Loop) -> Any:
        if self.step == 3:
            raise KeyboardInterrupt
        return steps(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "_optimizer_step", stopping)
        with pytest.raises(KeyboardInterrupt):
            train(job, Silent())
    assert [f.name for f in job.checkpoints.glob("step-*")] == ["step-000002"]
    resumed = train(job, Silent()).final
    for name, tensor in tensors(whole).items():
        assert torch.equal(tensor, tensors(resumed)[name]), name


def test_noise_is_in_training_alone(tmp_path: Path, formatted: Path) -> None:
    loops = [
        prepare(make_job(tmp_path, formatted, objective=objective), Silent(), Processes(), {})
        for objective in ("sft", {"type": "sft", "neftune_noise_alpha": 5.0})
    ]
    assert validation_loss(loops[0]) == validation_loss(loops[1])
    assert loops[0]._optimizer_step().loss != loops[1]._optimizer_step().loss


def test_weights_of_messages_from_the_file_to_the_loss(tmp_path: Path) -> None:
    """sum(w·nll) ÷ sum(w), by the model's own logits; a turn of weight 0 is read and not learnt."""
    data = Data(tmp_path / "data")
    rows = []
    for number in range(12):
        weights: tuple[Any, ...] = ({"weight": 0.25}, {}, {"weight": 2}) if number % 2 else ({"train": False}, {}, {})
        turns: list[dict[str, Any]] = []
        for place, weight in enumerate(weights):
            turns.append({"role": "user", "content": f"질문 {number} {place}"})
            turns.append({"role": "assistant", "content": f"답 {number} {place}", **weight})
        rows.append(json.dumps({"messages": turns}, ensure_ascii=False))
    source = {"type": "jsonl", "path": data.write("rows.jsonl", "\n".join(rows))}
    folder = data.format(data.settings(source, split={"validation": 0.0, "test": 0.0}, max_length=128))
    samples = Samples.open(folder / "train.arrow")
    assert len(samples) == 12
    loop = prepare(make_job(tmp_path, folder, config={"vocab_size": 400}), Silent(), Processes(), {})
    member = OBJECTIVES.member("sft")
    tokenizer, _ = open_prompt(folder / "prompt")
    total = weight = 0.0
    for entry in samples:
        ids = torch.tensor(entry.input_ids.astype(np.int64))
        with torch.no_grad():
            nll = -loop.module(input_ids=ids[None]).logits[0].log_softmax(-1)[:-1].gather(-1, ids[1:, None])[:, 0]
        runs = {w: tokenizer.decode(entry.input_ids[entry.weights == w]) for w in set(entry.weights.tolist()) if w}
        number = entry.source_row
        last, first, middle = f"답 {number} 2<|im_end|>", f"답 {number} 0<|im_end|>", f"답 {number} 1<|im_end|>"
        assert runs == ({0.25: first, 1.0: middle, 2.0: last} if number % 2 else {1.0: middle + last})
        total += float((nll * torch.from_numpy(entry.weights.copy())[1:]).sum())
        weight += float(entry.weights.sum())
    for packing in (True, False):
        batch = member.collate(member.Settings(), list(samples), Layout(packing, 0))
        with torch.no_grad():
            sums, _ = member.compute(member.Settings(), loop.module, batch, Context())
        assert float(sums["nll"]) / member.weigh(member.Settings(), batch)["nll"][0] == pytest.approx(
            total / weight, rel=1e-5
        )
