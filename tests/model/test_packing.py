"""The choice of attention, and the proof on the model that packed documents stay apart."""

import random
from typing import Any

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AutoConfig, AutoModelForCausalLM

from dadeum.core.errors import ModelError
from dadeum.model import packing
from dadeum.model.adapters import ADAPTERS
from dadeum.model.attention import NAME, packed_attention
from dadeum.model.packing import check_isolation, packs_with, unwrap, use_packing
from tests.model.tiny import SHAPES, tiny


def test_the_choice() -> None:
    assert use_packing(tiny("llama")) == NAME
    assert use_packing(tiny("llama"), "sdpa") == "sdpa"
    assert use_packing(tiny("llama"), "eager") == "eager"
    model = tiny("gpt2")
    assert packs_with(model) == NAME and model.config._attn_implementation == NAME


def made(kind: str, **changes: Any) -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **changes))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    return model


LLAMA = {key: value for key, value in SHAPES["llama"].items() if key != "model_type"}


def test_an_attention_with_sinks_falls_to_eager_and_never_to_ours() -> None:
    model = made("granite_swa", **LLAMA)
    assert use_packing(model) == "eager"
    model.config._attn_implementation = NAME
    with pytest.raises(ModelError, match="unknown argument 's_aux'"):
        check_isolation(model)


def test_an_old_model_packs_with_the_mask_of_transformers() -> None:
    assert (
        use_packing(made("gptj", vocab_size=97, n_embd=32, n_layer=2, n_head=4, n_positions=64, rotary_dim=4))
        == "eager"
    )


# transformers' packed masks leave these open: gpt_oss hands no positions to its mask, the others do not look at it.
LEAKY = {
    "gpt_oss": {**LLAMA, "num_local_experts": 2, "num_experts_per_tok": 1},
    "bloom": {"vocab_size": 97, "hidden_size": 32, "n_layer": 2, "n_head": 4},
    "mamba": {"vocab_size": 97, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4},
    "rwkv": {"vocab_size": 97, "hidden_size": 16, "num_hidden_layers": 2, "attention_hidden_size": 16},
    "lfm2": {**LLAMA, "layer_types": ["conv", "full_attention", "conv"]},
}


@pytest.mark.parametrize("kind", LEAKY)
def test_a_model_that_cannot_is_refused_by_name(kind: str) -> None:
    model = made(kind, **LEAKY[kind])
    before = model.config._attn_implementation
    with pytest.raises(ModelError, match=rf"type '{kind}' with eager attention .* set data\.packing to false"):
        use_packing(model)
    assert model.config._attn_implementation == before


def test_a_model_that_breaks_on_a_short_row_is_refused_by_name_too() -> None:
    """DeepSeek V4 compresses keys by the block, and two short documents make none."""
    model = made("llama", **LLAMA)

    def broken(*args: Any, **more: Any) -> Any:
        return args[0][99]

    model.model.layers[0].forward = broken
    with pytest.raises(ModelError, match=r"type 'llama' .*IndexError: .* set data\.packing to false"):
        use_packing(model)


def test_an_attention_that_differs_outside_packed_rows_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def packs_well_otherwise_wrong(*args: Any, **more: Any) -> Any:
        out = packed_attention(*args, **more)[0]
        return (out if "packed_plan" in more else out * 0.9), None

    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, packs_well_otherwise_wrong)
    assert use_packing(tiny("llama")) == "sdpa"


def leaking(
    module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: Any = None, **more: Any
) -> tuple[torch.Tensor, None]:
    """Plain causal attention over the whole row, as if there were one document."""
    groups = query.shape[1] // key.shape[1]
    key, value = (part.repeat_interleave(groups, dim=1) for part in (key, value))
    return scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling).transpose(1, 2), None


def test_a_leak_is_found_and_auto_takes_another_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, leaking)
    model = tiny("llama")
    assert use_packing(model) == "sdpa"
    model.set_attn_implementation(NAME)
    with pytest.raises(ModelError, match=r"type 'llama' with dadeum_packed attention .* set data\.packing to false"):
        check_isolation(model)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_faint_leak_is_found(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    def faint(*args: Any, **more: Any) -> Any:
        if "packed_plan" not in more:
            return packed_attention(*args, **more)
        out = packed_attention(*args, **more)[0]
        return out + 0.01 * out.mean(dim=1, keepdim=True), None

    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, faint)
    model = tiny("llama", dtype)
    model.set_attn_implementation(NAME)
    with pytest.raises(ModelError, match=r"logits move by .* when another one changes|differ from separate ones"):
        check_isolation(model)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", ["llama", "gpt2", "gemma3"])
def test_short_types_pass(shape: str, dtype: torch.dtype) -> None:
    assert use_packing(tiny(shape, dtype)) == NAME


def test_the_check_leaves_no_trace() -> None:
    model = tiny("llama", attention_dropout=0.3).train()
    model.model.layers[0].eval()
    model.lm_head.register_forward_hook(lambda *_: (torch.rand(1), random.random(), None)[-1])
    flags = [m.training for m in model.modules()]
    torch.manual_seed(5)
    random.seed(5)
    expected = torch.rand(3), random.random()
    torch.manual_seed(5)
    random.seed(5)
    check_isolation(model)
    assert torch.equal(torch.rand(3), expected[0]) and random.random() == expected[1]
    assert [m.training for m in model.modules()] == flags
    assert all(p.grad is None for p in model.parameters())


def test_a_wrapped_model_is_packed_too() -> None:
    model: Any = ADAPTERS.of(ADAPTERS.validate("lora")).apply(ADAPTERS.validate("lora"), tiny("llama"))
    assert use_packing(model) == NAME
    assert type(unwrap(model)).__name__ == "LlamaForCausalLM"
    assert getattr(unwrap(model), packing.MARK) == NAME
