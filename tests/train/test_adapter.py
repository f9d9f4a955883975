"""What adapters ask of a training: rates, terms and states of their own, first values; a run that is stopped goes on."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.errors import ModelError, TrainError
from dadeum.core.progress import Silent
from dadeum.model.adapters import ADAPTERS
from dadeum.train.adapter import tell_trained, trained_kinds, with_rates
from dadeum.train.loop import Loop
from dadeum.train.processes import Processes
from dadeum.train.state import write_checkpoint
from dadeum.train.step import prepare, train
from dadeum.train.weights import hash_of_trained
from tests.model.tiny import tiny
from tests.train import children
from tests.train.judged import make_judged, pair_units
from tests.train.support import Told, make_job, trained

LORA = {"type": "lora", "r": 4}
VIRTUAL = {"packing": False}
RESUMED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "dora": ({**LORA, "use_dora": True, "lora_dropout": 0.1}, {}),
    "pissa": ({**LORA, "init_lora_weights": "pissa"}, {}),
    "drawn pissa": ({**LORA, "init_lora_weights": "pissa_niter_2"}, {}),
    "olora": ({**LORA, "init_lora_weights": "olora"}, {}),
    "eva": ({**LORA, "r": 2, "init_lora_weights": "eva"}, {}),
    "lora+": ({**LORA, "loraplus_lr_ratio": 8.0}, {}),
    "head": ({**LORA, "modules_to_save": ["lm_head"], "layers_to_transform": [1]}, {}),
    "adalora": ({"type": "adalora", "init_r": 4, "target_r": 2, "tinit": 1, "tfinal": 1}, {}),
    "vera": ({"type": "vera", "r": 8}, {}),
    "ia3": ({"type": "ia3"}, {}),
    "prompt": ({"type": "prompt_tuning", "num_virtual_tokens": 3}, VIRTUAL),
    "text": (
        {"type": "prompt_tuning", "num_virtual_tokens": 3, "prompt_tuning_init": "TEXT", "prompt_tuning_init_text": "안녕"},
        VIRTUAL,
    ),
    "prefix": ({"type": "prefix_tuning", "num_virtual_tokens": 3, "prefix_projection": True}, VIRTUAL),
    "loha": ({"type": "peft", "peft_type": "LOHA", "target_modules": ["q_proj", "v_proj"]}, {}),
    "frozen": ({"type": "full", "freeze_layers": 1}, {}),
}  # fmt: skip


def begin(root: Path, formatted: Path, adapter: Any, run: str = "run", **changes: Any) -> Loop:
    settings = {"max_steps": 5, "learning_rate": 1e-2, **changes}
    return prepare(make_job(root, formatted, run, adapter=adapter, **settings), Silent(), Processes(), {})


@pytest.mark.parametrize("name", RESUMED)
def test_a_run_that_goes_on_ends_with_the_same_bits(name: str, tmp_path: Path, formatted: Path) -> None:
    adapter, more = RESUMED[name]
    loop = begin(tmp_path, formatted, adapter, **more)
    for step in range(5):
        if step == 3:
            write_checkpoint(loop)
        loop._optimizer_step()
    again = begin(tmp_path, formatted, adapter, **more)
    assert again.step == 3
    again._optimizer_step()
    again._optimizer_step()
    assert again.weights_sha256 == loop.weights_sha256
    assert any(
        not torch.equal(a, b)
        for a, b in zip(
            again.module.parameters(),
            begin(tmp_path, formatted, adapter, "fresh", **more).module.parameters(),
            strict=True,
        )
    )
    assert logits(again) == logits(loop)


def logits(loop: Loop) -> list[float]:
    with torch.no_grad():
        found: list[float] = (
            loop.module.eval()(input_ids=torch.arange(3, 12)[None], attention_mask=torch.ones(1, 9, dtype=torch.int64))
            .logits.flatten()
            .tolist()
        )
    return found


def test_lora_plus_is_pefts_after_three_steps() -> None:
    from peft.optimizers import create_loraplus_optimizer

    def model() -> Any:
        torch.manual_seed(0)
        settings = ADAPTERS.validate({**LORA, "loraplus_lr_ratio": 16.0, "bias": "all"})
        return ADAPTERS.of(settings).apply(settings, tiny("qwen2")).train()

    from dadeum.model.adapters import learning_rates
    from dadeum.train.optimizers import OPTIMIZERS

    ours, theirs = model(), model()
    settings = ADAPTERS.validate({**LORA, "loraplus_lr_ratio": 16.0, "bias": "all"})
    adamw = OPTIMIZERS.validate({"type": "adamw", "weight_decay": 0.1})
    one = with_rates(OPTIMIZERS.of(adamw).build(adamw, ours, 1e-3), learning_rates(settings, ours))
    other = create_loraplus_optimizer(
        theirs, torch.optim.AdamW, lr=1e-3, loraplus_lr_ratio=16.0, loraplus_weight_decay=0.1
    )
    assert {group.get("lr_ratio", 1.0) for group in one.param_groups} == {1.0, 16.0}
    for step in range(3):
        for made, optimizer in ((ours, one), (theirs, other)):
            for group in one.param_groups:
                group["lr"] = 1e-3 * group.get("lr_ratio", 1.0)
            made(torch.arange(3 + step, 20)[None]).logits.logsumexp(-1).mean().backward()
            optimizer.step()
            optimizer.zero_grad()
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if "k_proj" not in name or "bias" not in name:  # no key's bias has a gradient but of rounding
            assert torch.allclose(a, b, atol=1e-7), name


def test_the_loop_heeds_the_rates_of_groups(tmp_path: Path, formatted: Path) -> None:
    loop = begin(tmp_path, formatted, {**LORA, "loraplus_lr_ratio": 8.0})
    report = loop._optimizer_step()
    assert {group["lr"] for group in loop.optimizer.param_groups} == {report.learning_rate, 8 * report.learning_rate}
    assert len(loop.optimizer.param_groups) == 2


def test_adalora_ends_at_its_target_and_its_term_is_pefts(tmp_path: Path, formatted: Path) -> None:
    adapter = {"type": "adalora", "init_r": 4, "target_r": 2, "tinit": 1, "tfinal": 2, "orth_reg_weight": 0.3}
    loop = begin(tmp_path, formatted, adapter, max_steps=8)
    module: Any = loop.module
    ids = torch.arange(3, 12)[None]
    with torch.no_grad():
        plain = module.get_base_model()(ids, labels=ids).loss
        penalty = loop.course.penalty()
        assert penalty is not None
        assert math.isclose(float(module(ids, labels=ids).loss - plain), float(penalty), rel_tol=1e-4)
    while loop.step < 8:
        report = loop._optimizer_step()
        assert report.loss > float(penalty) / 2
    kept = [int((p != 0).sum()) for name, p in module.named_parameters() if "lora_E" in name]
    assert sum(kept) == 2 * len(kept) and len(set(kept)) > 1
    without = begin(tmp_path, formatted, {**adapter, "orth_reg_weight": 0.0}, "plain")
    assert without.course.penalty() is None


def test_a_schedule_without_room_for_budgets_is_refused_before_weights_are_read(
    tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dadeum.train.weights.load_for_training", pytest.fail)
    with pytest.raises(ModelError, match=r"adapter\.tinit: found 3, with tfinal 2, but the run has only 5 steps"):
        begin(tmp_path, formatted, {"type": "adalora", "tinit": 3, "tfinal": 2})


@pytest.mark.parametrize(
    ("adapter", "changes", "said"),
    [
        ("prompt_tuning", {}, "found 'prompt_tuning' beside 'data.packing: true'"),
        ("prefix_tuning", {}, "found 'prefix_tuning' beside 'data.packing: true'"),
        (
            "prefix_tuning",
            {"packing": False, "gradient_checkpointing": True},
            "beside 'train.gradient_checkpointing: true'",
        ),
        (
            {"type": "peft", "peft_type": "P_TUNING", "num_virtual_tokens": 3},
            {},
            "'P_TUNING' beside 'data.packing: true'",
        ),
        ({"type": "lora", "init_lora_weights": "loftq"}, {}, "found 'loftq' beside 'model.quantization: null'"),
    ],
)
def test_pairs_that_cannot_go_together_are_refused_before_weights_are_read(
    adapter: Any, changes: dict[str, Any], said: str, tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dadeum.train.weights.load_for_training", pytest.fail)
    with pytest.raises(ModelError, match=said):
        begin(tmp_path, formatted, adapter, **changes)


def test_eva_gives_layers_ranks_of_their_own_and_the_update_is_zero_at_first(tmp_path: Path, formatted: Path) -> None:
    loop = begin(tmp_path, formatted, {**LORA, "r": 3, "init_lora_weights": "eva"})
    module: Any = loop.module
    config = module.peft_config["default"]
    assert config.rank_pattern and config.r == 3
    assert {p.dtype for p in module.parameters() if p.requires_grad} == {torch.float32}
    found = logits(loop)
    with module.disable_adapter():
        assert logits(loop) == found
    even = begin(tmp_path, formatted, {**LORA, "r": 3, "init_lora_weights": "eva", "eva_rho": 1.0}, "even")
    assert not even.module.peft_config["default"].rank_pattern  # type: ignore[union-attr, index]
    rows = next(p for n, p in even.module.named_parameters() if "lora_A" in n)
    assert torch.allclose(rows @ rows.T, torch.eye(3), atol=1e-4), "directions of the rows, not noise"


def test_eva_says_when_there_are_too_few_tokens(tmp_path: Path, formatted: Path) -> None:
    with pytest.raises(ModelError, match="tokens at once to learn 2000 directions from; lower"):
        begin(tmp_path, formatted, {**LORA, "r": 1000, "init_lora_weights": "eva"})


def test_the_text_of_prompt_tuning_fills_the_embeddings(tmp_path: Path, formatted: Path) -> None:
    text = {
        "type": "prompt_tuning",
        "num_virtual_tokens": 9,
        "prompt_tuning_init": "TEXT",
        "prompt_tuning_init_text": "the fox",
    }
    loop = begin(tmp_path, formatted, text, **VIRTUAL)
    module: Any = loop.module
    table = module.get_base_model().get_input_embeddings().weight
    rows = module.prompt_encoder["default"].embedding.weight
    ids = [int((table == row).all(1).nonzero()[0]) for row in rows]
    period = next(n for n in range(1, 9) if ids[n:] == ids[:-n])
    assert len(set(ids)) > 1 and period < 9, "its tokens, over and over"


def test_virtual_tokens_take_positions(tmp_path: Path, formatted: Path) -> None:
    with pytest.raises(
        TrainError,
        match=r"60 tokens and 80 virtual ones, but the model has only 128 positions; set data.max_length to at most 48",
    ):
        begin(tmp_path, formatted, {"type": "prefix_tuning", "num_virtual_tokens": 80}, **VIRTUAL)


@pytest.mark.parametrize("adapter", ["lora", "adalora", "vera", "ia3", "prompt_tuning"])
def test_checkpointing_changes_no_number(adapter: str, tmp_path: Path, formatted: Path) -> None:
    """A19: gradients reach what is trained."""
    job = make_job(tmp_path, formatted, adapter=adapter, packing=False, gradient_checkpointing=True)
    plain = prepare(make_job(tmp_path, formatted, "plain", adapter=adapter, packing=False), Silent(), Processes(), {})
    loop = prepare(job, Silent(), Processes(), {})
    for _ in range(2):
        one, other = loop._optimizer_step(), plain._optimizer_step()
    assert math.isclose(one.loss, other.loss, rel_tol=1e-6) and math.isclose(
        one.grad_norm, other.grad_norm, rel_tol=1e-4
    )


@pytest.mark.parametrize("adapter", ["lora", "adalora", "vera", "ia3", "prompt_tuning", "prefix_tuning"])
def test_what_is_trained_is_held_in_float32(adapter: str, tmp_path: Path, formatted: Path) -> None:
    """A21: beside a base in bfloat16 too."""
    job = make_job(tmp_path, formatted, adapter=adapter, packing=False, precision="bf16")
    loop = prepare(job, Silent(), Processes(), {})
    assert {p.dtype for p in loop.module.parameters() if p.requires_grad} == {torch.float32}
    assert torch.bfloat16 in {p.dtype for p in loop.module.parameters()}
    before = hash_of_trained(loop.module)
    assert math.isfinite(loop._optimizer_step().loss) and hash_of_trained(loop.module) != before


def test_what_is_trained_is_told_by_kind(tmp_path: Path, formatted: Path) -> None:
    settings = ADAPTERS.validate(
        {"type": "lora", "r": 4, "target_modules": ["q_proj", "v_proj"], "modules_to_save": ["lm_head"]}
    )
    module = ADAPTERS.of(settings).apply(settings, tiny("llama"))
    assert trained_kinds(module) == {
        "lm_head": (1, 97 * 32), "q_proj": (3, 3 * 4 * (32 + 32)), "v_proj": (3, 3 * 4 * (32 + 16)),
    }  # fmt: skip
    told = Told()
    tell_trained(module, told)
    lines = told.notes[0].splitlines()
    assert lines[0].startswith("trains 4,448 of ") and "%" in lines[0]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["lm_head", "×", "1"],
        ["q_proj", "×", "3"],
        ["v_proj", "×", "3"],
    ]
    network = ADAPTERS.validate(RESUMED["prefix"][0])
    assert list(trained_kinds(ADAPTERS.of(network).apply(network, tiny("llama")))) == ["prompt_encoder"]
    whole = trained_kinds(tiny("llama"))
    assert whole["embed_tokens"] == (1, 97 * 32) and sum(size for _, size in whole.values()) == sum(
        p.numel() for p in tiny("llama").parameters()
    )
    job = make_job(tmp_path, formatted, adapter="lora", max_steps=1)
    train(replace(job), told)
    assert "trains" in told.notes[1]


@pytest.mark.parametrize("init", ["pissa", "pissa_niter_2", "olora"])
def test_factors_are_those_of_the_stored_weights_whatever_they_are_held_in(init: str, tmp_path: Path) -> None:
    from dadeum.config.model import ModelSettings
    from dadeum.model.load import load_for_inference, load_for_training
    from dadeum.model.save import save_model
    from tests.model.words import words

    save_model(tiny("llama"), tmp_path / "base")
    settings = ADAPTERS.validate({**LORA, "init_lora_weights": init})
    trained = load_for_training(
        ModelSettings(name_or_path="x"), settings, place=tmp_path / "base", tokenizer=words(), precision="bf16",
        device="cpu", seed=1,
    )  # fmt: skip
    assert {p.dtype for p in trained.parameters() if not p.requires_grad} == {torch.bfloat16}
    save_model(trained, tmp_path / "adapter")
    ids = torch.arange(3, 20)[None]
    want = tiny("llama")(ids).logits
    for dtype, far in (("float32", 1e-4), ("bfloat16", 0.2)):
        again: Any = load_for_inference(tmp_path / "adapter", base=tmp_path / "base", dtype=dtype)
        assert (again(ids).logits.float() - want).abs().max() < far, "nothing was learnt, so nothing may change"


@pytest.mark.parametrize(
    "adapter",
    [
        {"type": "adalora", "init_r": 4, "target_r": 2, "tinit": 1, "tfinal": 1},
        {**LORA, "r": 2, "init_lora_weights": "eva", "loraplus_lr_ratio": 4.0},
    ],
    ids=["adalora", "eva, lora+"],
)
def test_two_processes_train_as_one(adapter: dict[str, Any], tmp_path: Path, formatted: Path) -> None:
    """The term of the weights is added once, and all start from the same rows."""
    one = make_job(tmp_path, formatted, "one", adapter=adapter, max_steps=4)
    train(one, Silent())
    two = make_job(tmp_path, formatted, "two", adapter=adapter, max_steps=4)
    assert children.wait(children.together(two, tmp_path)) == [0, 0], children.said(tmp_path / "said-0.json")
    for ours, theirs in zip(trained(one, "loss", "grad_norm"), trained(two, "loss", "grad_norm"), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)


def test_eva_looks_at_one_sequence_of_a_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """End to end two answers may be longer than the model has places."""
    seen: list[int] = []
    monkeypatch.setattr(
        "dadeum.train.adapter.initialise",
        lambda _, __, start: seen.extend(int(n) for batch in start.batches for n in batch["attention_mask"].sum(-1)),
    )
    units = pair_units(16)
    begin(
        tmp_path,
        make_judged(tmp_path, units, []),
        {**LORA, "init_lora_weights": "eva"},
        objective={"type": "dpo"},
    )
    assert seen == [len(entry.sequences[0][0]) for entry in units]
