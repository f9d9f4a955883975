"""The reference of DPO and KTO: the adapter switched off, or what was computed before the first step and is kept."""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dadeum.config.model import ModelSettings
from dadeum.core.errors import ConfigError, TrainError
from dadeum.core.progress import Silent
from dadeum.model.adapters import ADAPTERS
from dadeum.model.heads import HEADS
from dadeum.model.packing import peft_of
from dadeum.train.objectives import OBJECTIVES
from dadeum.train.objectives._reference import FOLDER, switched_off
from dadeum.train.processes import Processes
from dadeum.train.step import prepare, train
from tests.train import children
from tests.train.judged import apart, make_judged, opened, pair_units, rated_units, step_of
from tests.train.support import Told, make_job, tensors, trained

DPO: dict[str, Any] = {"type": "dpo", "beta": 0.5}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs; nothing writes into them."""
    return make_judged(tmp_path_factory.mktemp("pairs"), pair_units(16), pair_units(3, seed=1))


@pytest.mark.parametrize("objective", ["dpo", "kto"])
def test_the_adapter_switched_off_is_what_would_be_computed(objective: str, rows: Path, tmp_path: Path) -> None:
    if objective == "kto":
        rows = make_judged(tmp_path / "rated", rated_units(16), [])
    found = []
    for reference in ("adapter_off", "computed"):
        settings = {"type": objective, "reference": reference}
        loop = opened(tmp_path / reference, rows, settings, adapter="lora")
        assert (loop.context.prepared.stored is None) == (reference == "adapter_off")
        assert (loop.job.checkpoints / FOLDER / "train.safetensors").is_file() == (reference == "computed")
        found.append(step_of(loop))
    (loss, gradients, shown), (other, others, told) = found
    assert loss == pytest.approx(other, rel=1e-5) and apart(gradients, others) <= 1e-5
    assert shown == pytest.approx(told, rel=1e-4, abs=1e-5)


def test_auto_takes_the_adapter_off_where_that_is_the_base(rows: Path, tmp_path: Path) -> None:
    """PiSSA takes its factors out of the base's weights: without them it is another model."""
    kinds: dict[str, tuple[Any, bool]] = {
        "lora": ("lora", True),
        "ia3": ("ia3", True),
        "full": ("full", False),
        "pissa": ({"type": "lora", "init_lora_weights": "pissa"}, False),
    }
    for name, (adapter, off) in kinds.items():
        loop = opened(tmp_path / name, rows, DPO, adapter=adapter, move=False)
        assert (loop.context.prepared.stored is None) == off, name
        # The model is its own reference before the first step.
        _, _, shown = step_of(loop)
        assert abs(shown["rewards/margins"]) < 1e-4, name


def test_switching_off_leaves_everything_as_it_was(rows: Path, tmp_path: Path) -> None:
    adapter = {"type": "lora", "modules_to_save": ["embed_tokens"]}
    loop = opened(tmp_path, rows, DPO, adapter=adapter, gradient_checkpointing=True)
    flags = {name: part.training for name, part in loop.module.named_modules()}
    learns = {name: p.requires_grad for name, p in loop.module.named_parameters()}
    with switched_off(loop.module) as base:
        assert not base.training and not torch.is_grad_enabled()
    assert flags == {name: part.training for name, part in loop.module.named_modules()}
    assert learns == {name: p.requires_grad for name, p in loop.module.named_parameters()}
    assert not all(learns.values()) and any(learns.values())


def test_activations_that_are_made_again_are_those_of_the_adapter(rows: Path, tmp_path: Path) -> None:
    """The backward pass comes after the reference's forward pass."""
    found = []
    for again in (False, True):
        loop = opened(tmp_path / str(again), rows, DPO, adapter="lora", gradient_checkpointing=again)
        found.append(step_of(loop))
    (loss, gradients, _), (other, others, _) = found
    assert loss == pytest.approx(other, rel=1e-7) and apart(gradients, others) <= 1e-6


def test_prompts_that_are_learnt_are_no_part_of_the_reference(rows: Path, tmp_path: Path) -> None:
    adapter = {"type": "prompt_tuning", "num_virtual_tokens": 3}
    loop = opened(tmp_path, rows, DPO, adapter=adapter, packing=False)
    batch = loop.lay_out(loop.order.of_step(0), loop.samples).tensors
    member = OBJECTIVES.member("dpo")
    with torch.no_grad():
        own = member._read(loop.module, batch)
        base = member._read(peft_of(loop.module).get_base_model(), batch)
    found = loop.context.prepared.of(batch, member._read)
    assert torch.equal(found, base) and not torch.allclose(found, own)


@pytest.mark.parametrize("adapter", ["full", {"type": "lora", "init_lora_weights": "olora"}])
def test_adapter_off_needs_an_adapter_that_leaves_the_base(adapter: Any) -> None:
    settings = OBJECTIVES.validate({"type": "dpo", "reference": "adapter_off"})
    kind = adapter if isinstance(adapter, str) else adapter["type"]
    with pytest.raises(ConfigError, match=f"adapter_off does not go with adapter '{kind}'"):
        OBJECTIVES.member("dpo").refuse(settings, ADAPTERS.validate(adapter))


def test_a_resumed_run_compares_with_what_was_before_it(rows: Path, tmp_path: Path) -> None:
    """Bit for bit the run that was not stopped; and where the reference is gone it does not take the trained model for it."""
    changes: dict[str, Any] = {
        "objective": DPO,
        "max_steps": 6,
        "save_steps": 2,
        "eval_steps": 3,
        "save_total_limit": 3,
    }
    whole, cut = (make_job(tmp_path, rows, run=name, **changes) for name in ("whole", "cut"))
    train(whole, Silent())
    train(cut, Silent())
    shutil.rmtree(cut.final)
    for folder in cut.checkpoints.glob("step-*"):
        if folder.name != "step-000002":
            shutil.rmtree(folder)
    kept = (cut.checkpoints / FOLDER / "train.safetensors").read_bytes()
    lost = dataclasses.replace(cut)
    shutil.copytree(cut.checkpoints, tmp_path / "lost")
    train(cut, Silent())
    assert (cut.checkpoints / FOLDER / "train.safetensors").read_bytes() == kept
    assert trained(cut, "loss", "grad_norm") == trained(whole, "loss", "grad_norm")
    one, other = tensors(cut.final), tensors(whole.final)
    assert all(torch.equal(one[name], other[name]) for name in other)
    lost = dataclasses.replace(cut, checkpoints=tmp_path / "lost")
    shutil.rmtree(lost.checkpoints / FOLDER)
    with pytest.raises(TrainError, match=r"reference: the reference's log-probabilities are missing"):
        train(lost, Silent())
    # The adapter leaves the base as it was: there the reference can be made again.
    changes |= {"objective": {**DPO, "reference": "computed"}, "adapter": "lora", "max_steps": 2}
    again = make_job(tmp_path, rows, run="again", **changes)
    train(again, Silent())
    before = (again.checkpoints / FOLDER / "train.safetensors").read_bytes()
    shutil.rmtree(again.final)
    shutil.rmtree(again.checkpoints / FOLDER)
    prepare(again, Silent(), Processes(), {})
    assert (again.checkpoints / FOLDER / "train.safetensors").read_bytes() == before


def test_a_damaged_reference_is_none(rows: Path, tmp_path: Path) -> None:
    job = make_job(tmp_path, rows, objective=DPO)
    loop = prepare(job, Silent(), Processes(), {})
    file = job.checkpoints / FOLDER / "train.safetensors"
    good = file.read_bytes()
    file.write_bytes(good[:-4] + b"\0\0\0\1")
    again = prepare(job, Silent(), Processes(), {})
    assert file.read_bytes() == good  # nothing was trained yet: it is made again
    (_, values), (_, others) = loop.context.prepared.stored[0], again.context.prepared.stored[0]
    assert torch.equal(values, others) and values.shape == (16, 2)


@pytest.mark.parametrize(
    ("error", "told", "said"),
    [
        (
            torch.OutOfMemoryError("full"),
            TrainError,
            r"the reference read samples of \d+ tokens; lower data.max_length",
        ),
        (ZeroDivisionError("ours"), ZeroDivisionError, "ours"),
    ],
)
def test_a_memory_that_runs_out_is_one_sentence(
    error: Exception, told: type[Exception], said: str, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise error

    monkeypatch.setattr("dadeum.train.objectives._answers.log_probabilities", full)
    job = make_job(tmp_path, rows, objective=DPO)
    with pytest.raises(told, match=said):
        prepare(job, Silent(), Processes(), {})
    assert not (job.checkpoints / FOLDER).exists()


def test_no_dropout_unless_it_is_asked_for(rows: Path, tmp_path: Path) -> None:
    losses = []
    for asked, runs in ((True, 2), (False, 2)):
        for run in range(runs):
            reporter = Told()
            settings = {**DPO, "disable_dropout": asked}
            adapter = {"type": "lora", "lora_dropout": 0.5}
            job = make_job(tmp_path / f"{asked}{run}", rows, objective=settings, adapter=adapter)
            loop = prepare(job, reporter, Processes(), {})
            with torch.no_grad():
                for name, parameter in loop.module.named_parameters():
                    if "lora_B" in name:
                        parameter.fill_(0.05)
            torch.manual_seed(run)
            losses.append(step_of(loop)[0])
            assert any("no dropout under train.objective=dpo" in note for note in reporter.notes) == asked
    assert losses[0] == losses[1] and losses[2] != losses[3] and losses[0] != losses[2]


@pytest.mark.parametrize(("objective", "adapter"), [("dpo", "full"), ("kto", "full"), ("kto", "lora")])
def test_two_processes_do_what_one_does(objective: str, adapter: str, rows: Path, tmp_path: Path) -> None:
    """Also the reference is the same, which they compute together; or each of them switches its adapter off."""
    if objective == "kto":
        rows = make_judged(tmp_path / "rated", rated_units(16), rated_units(3, seed=1, alone=None))
    changes: dict[str, Any] = {"objective": {"type": objective, "beta": 0.5}, "adapter": adapter}
    changes |= {"max_steps": 3, "per_device_train_batch_size": 2, "eval_steps": 3}
    one, two = (make_job(tmp_path, rows, run=name, **changes) for name in ("one", "two"))
    train(one, Silent())
    assert children.wait(children.together(two, tmp_path)) == [0, 0], children.said(tmp_path / "said-0.json")
    for mine, theirs in zip(trained(one, "loss"), trained(two, "loss"), strict=True):
        assert mine[1] == pytest.approx(theirs[1], rel=2e-6)
    if adapter == "lora":
        return
    found, others = (tensors(job.checkpoints / FOLDER, "train.safetensors") for job in (one, two))
    np.testing.assert_allclose(*(v["log_probabilities"].numpy() for v in (found, others)), rtol=1e-5)


OPT = {"model_type": "opt", "hidden_size": 64, "word_embed_proj_dim": 64, "ffn_dim": 64, "num_hidden_layers": 2}
OPT |= {"num_attention_heads": 4, "max_position_embeddings": 128, "dropout": 0.5}


@pytest.mark.parametrize("name", ["head", "layers"])
def test_dropout_that_is_a_number(name: str, rows: Path, tmp_path: Path) -> None:
    shown = []
    for asked in (True, False):
        settings = {**(DPO if name == "layers" else {"type": "reward"}), "disable_dropout": asked}
        job = make_job(tmp_path / str(asked), rows, objective=settings, packing=False)
        if name == "layers":
            job = dataclasses.replace(job, model=ModelSettings(init="random", config=OPT))
        else:
            job = dataclasses.replace(job, head=HEADS.validate({"type": "reward", "dropout": 0.5}))
        loop = prepare(job, Silent(), Processes(), {})
        for seed in (0, 1):
            torch.manual_seed(seed)
            loop.step = 0
            shown.append(step_of(loop)[2])
    assert shown[0] == shown[1] and shown[2] != shown[3]
