"""Every weight is trained, or all but what is frozen."""

from typing import Any

import pytest
import torch

from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS, full
from tests.model.tiny import tiny


def trained(model: Any) -> set[str]:
    return {name for name, p in model.named_parameters() if p.requires_grad}


def test_everything_is_trainable_and_there_is_no_adapter() -> None:
    model = tiny("llama").requires_grad_(False)
    assert full.apply(full.Settings(), model) is model
    assert all(p.requires_grad for p in model.parameters())
    assert not full.mergeable(full.Settings()) and not full.freezes_base


@pytest.mark.parametrize("shape", ["llama", "qwen2", "gpt2"])
def test_the_first_layers_are_frozen(shape: str) -> None:
    model = full.apply(full.Settings(freeze_layers=2), tiny(shape))
    layers = {name.split(".")[2] for name in trained(model) if ".layers." in name or ".h." in name}
    assert layers == {"2"}
    assert {p for p in trained(tiny(shape)) if ".0." not in p and ".1." not in p} == trained(model)
    with pytest.raises(ModelError, match=r"adapter\.freeze_layers: found 4, but this model has 3"):
        full.apply(full.Settings(freeze_layers=4), tiny(shape))


def test_names_and_patterns_are_frozen() -> None:
    model = full.apply(full.Settings(freeze=("embed_tokens", "*.mlp.*", "layers.1")), tiny("llama"))
    assert not any("embed_tokens" in n or ".mlp." in n or "layers.1." in n for n in trained(model))
    assert any("layers.0.self_attn" in n for n in trained(model)) and "lm_head.weight" in trained(model)


def test_a_frozen_embedding_is_also_a_frozen_output_layer_where_they_are_tied() -> None:
    model = full.apply(full.Settings(freeze=("lm_head",)), tiny("llama3"))
    assert "model.embed_tokens.weight" not in trained(model)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("embed_token", "'embed_token', which no parameter .* is called; did you mean 'embed_tokens'"),
        ("*.experts.*", "which no parameter"),
        ("*", "freeze every weight"),
    ],
)
def test_what_freezes_nothing_or_everything_is_refused(pattern: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        full.apply(full.Settings(freeze=(pattern,)), tiny("llama"))


@pytest.mark.parametrize("shape", ["llama", "gpt2"])
def test_twenty_steps_move_what_is_not_frozen_and_nothing_else(shape: str) -> None:
    model = full.apply(
        full.Settings(freeze_layers=1, freeze=("*wte*" if shape == "gpt2" else "*embed*",)), tiny(shape)
    ).train()
    moving, before = trained(model), {n: p.detach().clone() for n, p in model.named_parameters()}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    for _ in range(20):
        optimizer.zero_grad()
        model(torch.arange(3, 20)[None]).logits.logsumexp(-1).mean().backward()
        optimizer.step()
    assert {n for n, p in model.named_parameters() if not torch.equal(p, before[n])} == moving < set(before)


def test_every_member_keeps_the_contract() -> None:
    for name in ADAPTERS.names:
        member = ADAPTERS.member(name)
        settings = member.Settings(peft_type="LOHA") if name == "peft" else member.Settings()
        assert isinstance(member.mergeable(settings), bool) and isinstance(member.freezes_base, bool)
        assert settings.type == name
