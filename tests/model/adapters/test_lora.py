"""LoRA's settings act, and what a model cannot take is named."""

from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS, lora
from tests.model.tiny import tiny


def adapt(shape: str = "llama", model: Any = None, **settings: Any) -> Any:
    return lora.apply(lora.Settings(**settings), tiny(shape) if model is None else model)


def layers(model: Any) -> set[str]:
    return {name.split(".lora_A")[0].rsplit(".", 1)[-1] for name, _ in model.named_parameters() if ".lora_A" in name}


ALL = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}


def test_all_linear_leaves_the_output_layer_out() -> None:
    assert layers(adapt()) == ALL
    assert layers(adapt("gpt2")) == {"c_attn", "c_proj", "c_fc"}
    assert set(lora.linear_names(tiny("llama"))) == ALL


def test_only_the_matrices_are_trained() -> None:
    model = adapt(r=3)
    assert {name.rsplit(".", 3)[-3] for name, p in model.named_parameters() if p.requires_grad} == {"lora_A", "lora_B"}
    assert {p.shape[0] for name, p in model.named_parameters() if "lora_A" in name} == {3}


@pytest.mark.parametrize("targets", [["q_proj", "v_proj"], r".*\.(q|v)_proj", ("q_proj", "v_proj")])
def test_named_targets(targets: Any) -> None:
    assert layers(adapt(target_modules=targets)) == {"q_proj", "v_proj"}


def scale(**settings: Any) -> float:
    model = adapt(**settings)
    return float(next(m for m in model.modules() if hasattr(m, "scaling") and hasattr(m, "lora_A")).scaling["default"])


def test_scales() -> None:
    assert scale(r=4, lora_alpha=8) == 2
    assert scale(r=4, lora_alpha=8, use_rslora=True) == 4
    assert scale(r=4, lora_alpha=6.0) == 1.5


def test_dropout_acts_in_training_only() -> None:
    model = adapt(lora_dropout=0.5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.fill_(0.05)
    ids = torch.arange(3, 20)[None]
    model.train()
    assert not torch.equal(model(ids).logits, model(ids).logits)
    model.eval()
    assert torch.equal(model(ids).logits, model(ids).logits)


def test_a_gpt2_layer_is_adapted_and_merged_the_right_way_round() -> None:
    model = adapt("gpt2", r=2)
    assert any(isinstance(getattr(m, "base_layer", None), Conv1D) for m in model.modules())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
    ids = torch.arange(3, 20)[None]
    before = model.eval()(ids).logits
    assert torch.allclose(model.merge_and_unload()(ids).logits, before, atol=1e-5)


@pytest.mark.parametrize(
    "targets", [["q_prj"], ["q_proj", "wrong"], r".*\.nothing", "(", ["embed_tokens.weight"], ["model.norm"]]
)
def test_targets_that_do_not_fit_are_refused_with_the_names_that_do(targets: Any) -> None:
    with pytest.raises(
        ModelError, match=r"adapter\.target_modules: found .*linear layers are: down_proj, gate_proj, k_proj"
    ):
        adapt(target_modules=targets)


@pytest.mark.parametrize(
    ("shape", "known"),
    [
        ("gpt2", "c_attn, c_fc, c_proj"),
        ("gpt_neox", "dense, dense_4h_to_h, dense_h_to_4h, query_key_value"),
        ("phi3", "down_proj, gate_up_proj, o_proj, qkv_proj"),
    ],
)
def test_names_of_another_family_are_refused_with_this_ones(shape: str, known: str) -> None:
    with pytest.raises(ModelError, match=f"found 'q_proj, v_proj'.*linear layers are: {known}; name some"):
        adapt(shape, target_modules=["q_proj", "v_proj"])


def test_a_family_without_all_linear_is_told_why_and_takes_names() -> None:
    """Mamba's output projection is read by a fused kernel, past any adapter."""
    sizes = {"vocab_size": 97, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4}
    config = AutoConfig.for_model("mamba", **sizes)
    with pytest.raises(ModelError, match=r"'all-linear', .*'out_proj' is incompatible.*x_proj; name some of them$"):
        adapt(model=AutoModelForCausalLM.from_config(config))
    mamba = AutoModelForCausalLM.from_config(config)
    assert layers(adapt(model=mamba, target_modules=["in_proj", "x_proj"])) == {"in_proj", "x_proj"}


def test_all_linear_passes_over_routers_that_are_linear_by_class_alone() -> None:
    changes = {"num_local_experts": 2, "num_experts_per_tok": 1, "model_type": "phimoe"}
    model = adapt(model=tiny("llama", **changes))
    assert layers(model) == {"q_proj", "k_proj", "v_proj", "o_proj"}, "experts are one tensor, not layers"
    model(torch.arange(3, 20)[None]).logits.sum().backward()


@pytest.mark.parametrize("targets", [["lm_head"], ["q_proj", "embed_tokens"], r".*lm_head"])
def test_one_of_two_tied_layers_is_refused(targets: Any) -> None:
    tied = tiny("llama", tie_word_embeddings=True)
    with pytest.raises(ModelError, match="tied embeddings"):
        adapt(model=tied, target_modules=targets)
    adapt(target_modules=targets)


@pytest.mark.parametrize(
    "wrong", [{"r": 0}, {"lora_dropout": 1.0}, {"lora_alpha": 0}, {"target_modules": []}, {"rank": 4}]
)
def test_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ADAPTERS.validate({"type": "lora", **wrong})
