"""The objective `head`: losses and gradients of transformers' own classes, however a step is cut; runs that go on bit for bit."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from dadeum.core.errors import Interrupted, ModelError
from dadeum.core.progress import Silent
from dadeum.data.samples import Samples
from dadeum.model.head_files import save_whole
from dadeum.model.headed import head_outputs, headed_of
from dadeum.model.load import load_for_inference
from dadeum.train.events import Hook, Stop
from dadeum.train.loop import Loop, MicroBatch
from dadeum.train.processes import Processes
from dadeum.train.smoke import smoke
from dadeum.train.step import prepare, run_loop, train
from dadeum.train.weights import save_weights
from scripts.head_cases import CASES, LORA, Case, entries, head_job, make_base, make_formatted, padded, sequences
from tests.train import children

OWN = {
    "sequence_classification": AutoModelForSequenceClassification,
    "multi_label": AutoModelForSequenceClassification,
    "regression": AutoModelForSequenceClassification,
    "token_classification": AutoModelForTokenClassification,
}
LABELLED = [name for name in CASES if name != "reward"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def formatted(base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: make_formatted(tmp_path_factory.mktemp(name), base, case) for name, case in CASES.items()}


def opened(place: Path, base: Path, formatted: Path, case: Case, **changes: Any) -> Loop:
    return prepare(head_job(place, base, case, formatted, **changes), Silent(), Processes(), {})


def step_of(loop: Loop) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of the first step."""
    loop.module.train()
    batches: list[MicroBatch] = list(loop.micro_batches(np.arange(8), loop.samples))
    factors = loop.factors(batches)
    sums = [loop._forward_backward(batch, factors)[0] for batch in batches]
    grads = {name: p.grad for name, p in loop.module.named_parameters() if p.grad is not None}
    return loop._loss(sums, factors), grads


def near(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor], bound: float) -> None:
    assert ours.keys() == theirs.keys() and ours
    largest = max(float(grad.abs().max()) for grad in theirs.values())
    for name, grad in theirs.items():
        assert float((ours[name] - grad).abs().max()) <= bound * largest, name


@pytest.mark.parametrize("name", OWN)
def test_loss_and_gradients_are_those_of_transformers_own_class(
    name: str, base: Path, formatted: dict[str, Path], tmp_path: Path
) -> None:
    case = CASES[name]
    loop = opened(tmp_path, base, formatted[name], case, adapter="full", per_device_train_batch_size=8)
    headed = headed_of(loop.module)
    assert headed is not None
    save_whole(headed, tmp_path / "own")
    theirs = OWN[name].from_pretrained(tmp_path / "own").eval()  # its class for tokens has a dropout of its own
    loss, grads = step_of(loop)
    entries = [loop.samples[i] for i in range(8)]
    batch = padded([entry.input_ids for entry in entries], pad=theirs.config.pad_token_id)
    rows = [torch.from_numpy(entry.targets.copy()) for entry in entries]
    if name == "token_classification":
        labels = torch.full(batch["input_ids"].shape, -100)
        labels[batch["attention_mask"].bool()] = torch.cat(rows).long()
    else:
        labels = torch.stack(rows)
        labels = labels[:, 0].long() if name == "sequence_classification" else labels
    expected = theirs(**batch, labels=labels).loss
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    named = {key.removeprefix("module.").replace("heads.0.", ""): grad for key, grad in grads.items()}
    near(named, {key: p.grad for key, p in theirs.named_parameters()}, 1e-5)


@pytest.mark.parametrize("name", LABELLED)
def test_the_cut_of_a_step_and_packing_change_nothing(
    name: str, base: Path, formatted: dict[str, Path], tmp_path: Path
) -> None:
    """8×1 = 4×2 = 1×8, packed and padded; also where heads know unequally many rows of each piece."""
    case = replace(CASES[name], settings={**CASES[name].settings, **({"dropout": 0.0} if name == "mlp" else {})})
    found = [
        step_of(opened(tmp_path, base, formatted[name], case, packing=packing, per_device_train_batch_size=size))
        for packing in (True, False)
        for size in (8, 4, 1)
    ]
    for loss, grads in found[1:]:
        assert loss == pytest.approx(found[0][0], rel=1e-6)
        near(grads, found[0][1], 3e-6)


def test_heads_weigh_by_what_they_know_and_by_their_weight(
    base: Path, formatted: dict[str, Path], tmp_path: Path
) -> None:
    """By hand: each head's mean over its own known targets, times its weight."""
    loop = opened(tmp_path, base, formatted["multi"], CASES["multi"], per_device_train_batch_size=8)
    batch = loop.lay_out(np.arange(8), loop.samples)
    targets = np.stack([loop.samples[i].targets for i in range(8)])
    known = ~np.isnan(targets)
    assert not known.all() and known.any(0).all()
    assert batch.weights == {
        "감정": (known[:, 0].sum(), 0.5), "score": (known[:, 1].sum(), 2.0), "topics": (known[:, 2:].sum(), 1.0),
    }  # fmt: skip
    sums, shown = loop.compute(loop.module, batch)
    by_hand = sum(c * float(sums[name].detach()) / w for name, (w, c) in batch.weights.items())
    assert step_of(loop)[0] == pytest.approx(by_hand, rel=1e-6) and shown == {}


class _Halt(Hook):
    """Ends the run after two steps with a checkpoint, as a signal does."""

    def on_step(self, loop: Loop, report: Any) -> None:
        if loop.step == 2:
            from dadeum.train.state import write_checkpoint

            write_checkpoint(loop)
            raise Stop(15)


@pytest.mark.parametrize("adapter", ["full", "lora"])
def test_a_run_goes_on_bit_for_bit(adapter: str, base: Path, formatted: dict[str, Path], tmp_path: Path) -> None:
    """Heads with dropout and layers of their own; the head's weights come from the checkpoint, not from the seed."""
    for name in ("mlp", "multi", "sequence_classification"):
        given = LORA if adapter == "lora" else "full"
        whole, cut = (head_job(tmp_path / name, base, CASES[name], formatted[name], run, adapter=given) for run in "ab")
        train(whole, Silent())
        halt = _Halt()
        with pytest.raises(Interrupted):
            run_loop(prepare(cut, Silent(), Processes(), {"halt": halt}))
        train(cut, Silent())
        files = sorted(f.name for f in whole.final.glob("*.safetensors"))
        assert files and files == sorted(f.name for f in cut.final.glob("*.safetensors"))
        assert all((whole.final / f).read_bytes() == (cut.final / f).read_bytes() for f in files)


def test_it_learns_and_moves_nothing_but_adapter_and_head(
    base: Path, formatted: dict[str, Path], tmp_path: Path
) -> None:
    loop = opened(tmp_path, base, formatted["sequence_classification"], CASES["sequence_classification"], max_steps=20)
    before = {name: p.detach().clone() for name, p in loop.module.named_parameters()}
    first = step_of(loop)[0]
    loop.optimizer.zero_grad(set_to_none=True)
    run_loop(loop)
    moved = {name for name, p in loop.module.named_parameters() if not torch.equal(before[name], p)}
    assert moved == {name for name in before if "lora_" in name or name.startswith("heads.")}
    assert step_of(loop)[0] < first / 2
    assert len(Samples.open(formatted["sequence_classification"] / "train.arrow")) == 24


def test_a_smoke_test_learns_rows_by_heart(base: Path, formatted: dict[str, Path], tmp_path: Path) -> None:
    found = smoke(head_job(tmp_path, base, CASES["multi_label"], formatted["multi_label"]), Silent())
    assert found.passed and found.answers is None and found.rows == 8


def test_a_base_with_a_head_of_its_own_gets_a_new_one(
    base: Path, formatted: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The body goes on, and nobody takes the new head for the old one."""
    first = head_job(tmp_path, base, CASES["regression"], formatted["regression"], adapter="full")
    final = train(first, Silent()).final
    other = head_job(tmp_path, final, CASES["multi_label"], formatted["multi_label"], "next")
    with caplog.at_level("WARNING", "dadeum"):
        loop = prepare(other, Silent(), Processes(), {})
    assert "its own head is left out, a new one is trained" in caplog.text
    trained = load_file(final / "model.safetensors")["model.embed_tokens.weight"]
    name = "module.base_model.model.model.embed_tokens.weight"
    assert torch.equal(dict(loop.module.named_parameters())[name], trained)


def test_weights_that_are_not_finite_are_not_written(base: Path, formatted: dict[str, Path], tmp_path: Path) -> None:
    loop = opened(tmp_path, base, formatted["regression"], CASES["regression"])
    headed = headed_of(loop.module)
    assert headed is not None
    with torch.no_grad():
        headed.heads[0].score.weight[0, 3] = float("nan")
    with pytest.raises(ModelError, match=r"tensor 'regression.score.weight': 1 of 64 values are not finite"):
        save_weights(loop.module, tmp_path / "out", formatted["regression"], (), 0)
    assert not list((tmp_path / "out").glob("*"))


ADAPTERS: dict[str, Any] = {
    "DoRA": {"type": "lora", "r": 4, "use_dora": True},
    "PiSSA, drawn": {"type": "lora", "r": 4, "init_lora_weights": "pissa_niter_4"},
    "EVA": {"type": "lora", "r": 2, "init_lora_weights": "eva", "eva_rho": 1.0},
    "LoRA+": {"type": "lora", "r": 4, "loraplus_lr_ratio": 8.0},
    "AdaLoRA": {"type": "adalora", "init_r": 6, "target_r": 3, "tinit": 1, "tfinal": 1},
    "(IA)3": {"type": "ia3"},
    "prompt": {"type": "prompt_tuning", "num_virtual_tokens": 3},
    "frozen": {"type": "full", "freeze_layers": 1},
}


@pytest.mark.filterwarnings("ignore:lora with eva")
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_adapter_carries_heads(adapter: str, base: Path, formatted: dict[str, Path], tmp_path: Path) -> None:
    """Trained with checkpointed activations, saved, and loaded again."""
    changes: dict[str, Any] = {"packing": False} if adapter == "prompt" else {"gradient_checkpointing": True}
    loop = opened(tmp_path, base, formatted["multi"], CASES["multi"], adapter=ADAPTERS[adapter], **changes)
    run_loop(loop)
    save_weights(loop.module, tmp_path / "out", formatted["multi"], (), 0)
    back = load_for_inference(tmp_path / "out", base=None if adapter == "frozen" else base)
    batch = padded(sequences(entries(CASES["multi"], 4, seed=9)))
    with torch.no_grad():
        trained, found = (head_outputs(model.eval(), batch).heads for model in (loop.module, back))
    for name, said in trained.items():
        torch.testing.assert_close(found[name], said, rtol=0, atol=1e-5 if "drawn" in adapter else 1e-6)


def test_only_the_adapters_own_matrices_learn_by_its_rate(
    base: Path, formatted: dict[str, Path], tmp_path: Path
) -> None:
    """LoRA+ takes vectors for its own; those of a head are not."""
    loop = opened(tmp_path, base, formatted["multi"], CASES["multi"], adapter=ADAPTERS["LoRA+"])
    heads = {id(p) for name, p in loop.module.named_parameters() if name.startswith("heads.")}
    assert any(p.ndim == 1 for p in loop.module.parameters() if id(p) in heads)
    rates = {
        group.get("lr_ratio", 1.0) for group in loop.optimizer.param_groups for p in group["params"] if id(p) in heads
    }
    assert rates == {1.0}


def test_two_processes_learn_what_one_does(base: Path, formatted: dict[str, Path], tmp_path: Path) -> None:
    one, two = (
        head_job(tmp_path / run, base, CASES["multi"], formatted["multi"], run, per_device_train_batch_size=2)
        for run in ("one", "two")
    )
    train(one, Silent())
    assert children.wait(children.together(two, tmp_path)) == [0, 0], children.said(tmp_path / "said-0.json")
    for name in ("adapter_model.safetensors", "head.safetensors"):
        ours, theirs = (load_file(job.final / name) for job in (one, two))
        assert ours.keys() == theirs.keys()
        assert all(torch.allclose(ours[key], theirs[key], rtol=1e-4, atol=1e-5) for key in ours)
