"""Every adapter on three architectures, a pairwise part of the grid of `scripts.adapter_grid`; and what each refuses."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS, Beside, Course, course, initialise, learning_rates, refuse, resumed
from dadeum.model.load import load_for_inference
from dadeum.model.merge import merge
from dadeum.model.nll import token_nll
from dadeum.model.save import adapter_tensors, save_model
from scripts.adapter_grid import BITS, CASES, SHAPES, Row, fits, grid, page
from tests.model.adapted import IDS
from tests.model.tiny import documents, packed, seeing, tiny

# Each member and each variant once, each architecture with each member that the variants share.
PAIRS = [
    *(("lora", shape) for shape in SHAPES), ("ia3", "Llama, 4 bits"), ("adalora", "Llama, 8 bits"),
    *((name, "GPT-2") for name in ("lora, DoRA", "lora, PiSSA", "lora, EVA", "lora, output layer whole", "vera", "ia3")),
    *((name, "Qwen2") for name in ("lora, biases", "adalora", "lora, PiSSA, drawn", "prefix_tuning, by a network")),
    *((name, "Llama") for name in ("lora, OLoRA", "lora, ranks by layer", "ia3, all-linear", "full, first layer frozen")),
    ("lora, OLoRA", "GPT-2"), ("peft: LOHA", "Llama"), ("peft: LOHA", "GPT-2"), ("peft: P_TUNING", "Qwen2"),
    ("prompt_tuning, of a text", "Llama"), ("prompt_tuning", "GPT-2"), ("prefix_tuning", "Llama"), ("adalora", "GPT-2"),
]  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Row]]:
    place = tmp_path_factory.mktemp("grid")
    yield {(row.name, row.shape): row for row in grid(PAIRS, place)}
    shutil.rmtree(place)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pair", PAIRS, ids=[" on ".join(pair) for pair in PAIRS])
def test_twenty_steps_then_a_fresh_process(pair: tuple[str, str], found: dict[tuple[str, str], Row]) -> None:
    row = found[pair]
    assert row.fine, row
    refused = {
        ("lora, OLoRA", "GPT-2"): "'olora' beside 'model: gpt2",
        ("peft: LOHA", "GPT-2"): "'LOHA' on a 'gpt2' model",
    }
    if pair in refused:
        assert refused[pair] in row.refused
    else:
        assert not row.refused and row.moved > 1e-3 and row.loaded is not None
        whole, virtual = pair[0].startswith("full"), "prompt" in pair[0] or "prefix" in pair[0] or "P_TUNING" in pair[0]
        few = pair[1] in BITS
        assert (row.peft is None) == (whole or few) and (row.merged is None) == (whole or virtual or few)


def test_the_page_shows_what_is_not_as_it_should_be() -> None:
    rows = [
        Row("a", "Llama", 5, 1.0, loaded=0.0, peft=0.0, merged=2e-4),
        Row("a", "Qwen2", 5, 1.0, loaded=0.0, peft=0.0, merged=1e-5),
        Row("b", "GPT-2", refused="why"),
    ]
    assert [row.fine for row in rows] == [False, True, True]
    assert not Row("c", "Llama", 5, 1.0, strayed=1, loaded=0.0).fine and not Row("c", "Llama", 5, loaded=0.0).fine
    text = list(page(rows))
    assert "| a | **0 / 0 / 2e-04** | 0 / 0 / 1e-05 |  |  |  |" in text and "| b |  |  | refused (1) |  |  |" in text
    assert text[-1] == "1. why"


def adapt(adapter: Any, model: Any = None, **settings: Any) -> Any:
    made = ADAPTERS.validate({"type": adapter, **settings})
    return ADAPTERS.of(made).apply(made, tiny("llama") if model is None else model)


def sites(model: Any) -> set[str]:
    """Names of the layers that an adapter stands beside."""
    return {name for name, module in model.get_base_model().named_modules() if hasattr(module, "base_layer")}


@pytest.mark.parametrize("adapter", ["lora", "adalora", "vera"])
def test_layers_are_counted_and_named(adapter: str) -> None:
    small = {"r": 4} if adapter != "adalora" else {}
    assert {n.split(".")[2] for n in sites(adapt(adapter, layers_to_transform=[0, 2], **small))} == {"0", "2"}
    some = sites(adapt(adapter, layers_to_transform=[1], target_modules=["q_proj"], **small))
    assert some == {"model.layers.1.self_attn.q_proj"}
    with pytest.raises(ModelError, match=r"layers_to_transform: found 7, expected numbers from 0 to 2"):
        adapt(adapter, layers_to_transform=[7], **small)


@pytest.mark.parametrize("adapter", ["lora", "adalora", "vera", "ia3"])
def test_towers_get_nothing(adapter: str) -> None:
    more: dict[str, Any] = {"target_modules": "all-linear"}
    more |= {"feedforward_modules": []} if adapter == "ia3" else {}
    model = adapt(adapter, seeing(), **more)
    assert sites(model) and not any("vision" in name or "projector" in name for name in sites(model))
    assert not any("vision" in name for name, p in model.named_parameters() if p.requires_grad)


def test_biases_of_towers_stay(tmp_path: Path) -> None:
    model = adapt("lora", seeing(), r=2, bias="all")
    assert not any("vision" in name for name, p in model.named_parameters() if p.requires_grad)


@pytest.mark.parametrize("adapter", ["lora", "adalora", "vera", "ia3"])
def test_one_of_two_tied_layers_is_refused(adapter: str) -> None:
    more: dict[str, Any] = {"feedforward_modules": []} if adapter == "ia3" else {}
    with pytest.raises(ModelError, match="'lm_head', whose weights are also those of another layer"):
        adapt(adapter, tiny("llama3"), target_modules=["lm_head"], **more)


@pytest.mark.parametrize(("adapter", "fits_it"), [("lora", True), ("adalora", True), ("vera", False), ("ia3", False)])
def test_a_tied_layer_that_is_trained_whole_stays_tied_or_is_refused(
    adapter: str, fits_it: bool, tmp_path: Path
) -> None:
    for name in ("lm_head", "embed_tokens"):
        if not fits_it:
            with pytest.raises(ModelError, match=r"modules_to_save: found '\w+', whose .* use adapter: lora"):
                adapt(adapter, tiny("llama3"), modules_to_save=[name])
            continue
        model = adapt(adapter, tiny("llama3"), modules_to_save=[name])
        core = model.get_base_model()
        inside, outside = core.get_input_embeddings(), core.get_output_embeddings()
        assert inside.modules_to_save["default"].weight is outside.modules_to_save["default"].weight


def test_modules_that_are_not_there() -> None:
    with pytest.raises(
        ModelError, match=r"modules_to_save: found 'score', which this model does not have; it has: .*lm_head"
    ):
        adapt("lora", modules_to_save=["score"])
    with pytest.raises(ModelError, match=r"found 'lm_hed', .*; did you mean 'lm_head'\?"):
        adapt("lora", modules_to_save=["lm_hed"])
    with pytest.raises(ModelError, match=r"found 'q_prj', .*; did you mean 'q_proj'\?; name some"):
        adapt("lora", target_modules=["q_prj"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rank_pattern": {"q_prj": 4}}, r"rank_pattern: found 'q_prj', .*v_proj; did you mean 'q_proj'\?"),
        ({"rank_pattern": {"q_proj": 4}, "target_modules": ["v_proj"]}, r"rank_pattern: found 'q_proj', .*: v_proj;"),
        ({"alpha_pattern": {r"layers\.9\..*": 4}}, r"alpha_pattern: found 'layers"),
        ({"target_parameters": ["experts.down_proj"]}, r"target_parameters: found 'experts.down_proj'"),
    ],
)
def test_what_peft_would_pass_over_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        adapt("lora", **settings)
    whole = {"v_proj": 2, r"layers\.0\.self_attn\.q_proj": 4}
    assert adapt("lora", rank_pattern=whole).peft_config["default"].rank_pattern == whole


@pytest.mark.parametrize("shape", ["mixtral", "qwen2_moe"])
def test_experts_that_are_one_tensor(shape: str, tmp_path: Path) -> None:
    moe = {"mixtral": {"num_local_experts": 2, "num_experts_per_tok": 1}, "qwen2_moe": {
        "num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 16,
        "decoder_sparse_step": 1,
    }}  # fmt: skip

    def made() -> Any:
        return tiny("llama", model_type=shape, **moe[shape])

    names = ["experts.gate_up_proj", "experts.down_proj"]
    model = adapt("lora", made(), r=2, target_modules=["q_proj"], target_parameters=names)
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    assert any("experts" in name for name in trained) and any("q_proj" in name for name in trained)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(3):
        token_nll(model.train(), packed(documents())).nll.mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    want = model.eval()(IDS).logits
    save_model(made(), tmp_path / "base")
    save_model(model, tmp_path / "adapter")
    again: Any = load_for_inference(tmp_path / "adapter", base=tmp_path / "base")
    assert torch.allclose(again(IDS).logits, want, atol=1e-6)
    merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged")
    whole: Any = load_for_inference(tmp_path / "merged")
    assert torch.allclose(whole(IDS).logits, want, atol=1e-4)
    assert not torch.allclose(made()(IDS).logits, want, atol=1e-2)
    only = adapt("lora", made(), r=2, target_modules=None, target_parameters=names)
    assert not any("q_proj" in name for name, p in only.named_parameters() if p.requires_grad)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"type": "lora", "init_lora_weights": "pisa"}, "found 'pisa', expected one of: .*did you mean 'pissa'"),
    ({"type": "lora", "init_lora_weights": "orthogonal", "r": 3}, "orthogonal: found beside 'r: 3'"),
    (
        {"type": "lora", "target_parameters": ["a"], "use_dora": True},
        "target_parameters: found beside 'use_dora: true'",
    ),
    ({"type": "lora", "target_parameters": ["a"], "lora_dropout": 0.1}, "found beside 'lora_dropout: 0.1'"),
    ({"type": "lora", "target_parameters": ["a"], "init_lora_weights": "eva"}, "found beside 'init_lora_weights: eva'"),
    ({"type": "lora", "target_modules": None}, "found null without 'target_parameters'"),
    ({"type": "lora", "layers_pattern": "h"}, "layers_pattern: found without 'layers_to_transform'"),
    (
        {"type": "vera", "layers_to_transform": [0], "target_modules": ".*q_proj"},
        "found beside 'target_modules: .*q_proj'",
    ),
    ({"type": "adalora", "target_r": 12}, "target_r: found 12 beside 'init_r: 12'"),
    ({"type": "ia3", "target_modules": ["q_proj"]}, "feedforward_modules: expected together with 'target_modules'"),
    ({"type": "prompt_tuning", "prompt_tuning_init": "TEXT"}, "expected together with 'prompt_tuning_init: TEXT'"),
    ({"type": "prompt_tuning", "prompt_tuning_init_text": "a"}, "expected together with 'prompt_tuning_init: TEXT'"),
    ({"type": "prefix_tuning", "encoder_hidden_size": 8}, "beside 'prefix_projection: false'"),
]


@pytest.mark.parametrize(("settings", "said"), WRONG, ids=[said for _, said in WRONG])
def test_pairs_within_an_adapter_are_refused_with_both_names(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ADAPTERS.validate(settings)


@pytest.mark.parametrize("init", ["pissa", "pissa_niter_4", "olora", "orthogonal"])
def test_factors_of_weights_that_are_rounded_are_refused(init: str) -> None:
    settings = ADAPTERS.validate({"type": "lora", "init_lora_weights": init})
    with pytest.raises(ModelError, match=rf"found '{init}' beside 'model\.quantization: 8 bits"):
        refuse(settings, Beside(bits=8))
    refuse(settings, Beside())


def test_loftq_makes_up_for_four_bits_only() -> None:
    settings = ADAPTERS.validate({"type": "lora", "init_lora_weights": "loftq"})
    refuse(settings, Beside(bits=4))
    with pytest.raises(ModelError, match=r"found 'loftq' beside 'model\.quantization: 8 bits'"):
        refuse(settings, Beside(bits=8))


def test_experts_and_towers_are_told_before_weights_are_read(tmp_path: Path) -> None:
    save_model(tiny("gpt2"), tmp_path)
    (tmp_path / "model.safetensors").unlink()
    said = fits(ADAPTERS.validate({"type": "lora", "init_lora_weights": "olora"}), tmp_path)
    assert "'olora' beside 'model: gpt2" in said
    assert fits(ADAPTERS.validate(CASES["lora, EVA"]), tmp_path) == ""


def test_what_a_member_does_not_say_is_nothing() -> None:
    """A member needs its settings, `mergeable` and `apply` only."""
    settings = ADAPTERS.validate("ia3")
    model = adapt("ia3")
    refuse(settings, Beside(packing=True, gradient_checkpointing=True, bits=4))
    assert resumed(settings, {}) is settings and list(learning_rates(settings, model)) == []
    initialise(settings, model, None)  # type: ignore[arg-type]
    idle = course(settings, model, 5)
    assert type(idle) is Course and idle.penalty() is None and idle.state() == ({}, {})
    assert idle.after_step(1) is None and idle.restore({}, {}) is None  # type: ignore[func-returns-value]


def test_what_layers_share_is_saved_for_each(tmp_path: Path) -> None:
    model = adapt("peft", peft_type="RANDLORA", target_modules=["q_proj", "v_proj"])
    tensors = adapter_tensors(model)
    assert len({t.data_ptr() for t in tensors.values()}) == len(tensors)
    save_model(model, tmp_path)
