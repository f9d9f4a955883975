"""Layers of few bits answer alike in training and after, alone and beside others; their memory is foretold."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from dadeum.config.model import QuantizationSettings
from dadeum.model.few_bits import expected_bytes, full_weight, held_bytes, size_of
from dadeum.model.form import Form
from dadeum.model.load import load_for_inference
from tests.model.quantized import IDS, SCHEMES, bases, train
from tests.model.tiny import tiny

__all__ = ["bases"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_asked_in_between_changes_nothing(bases: Path, scheme: str) -> None:
    """A validation amid training: on some CPUs a 4-bit layer would round its scales, and lose its gradients."""
    model = train(bases / "llama", SCHEMES[scheme])
    held = [p.detach().clone() for p in model.parameters()]
    model.eval()
    with torch.no_grad():
        before = model(IDS).logits
    model.train()
    logits = model(IDS).logits
    assert torch.allclose(logits, before, atol=1e-5)
    logits.sum().backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    assert all(torch.equal(p, then) for p, then in zip(model.parameters(), held, strict=True))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_is_rounded_but_the_weights(bases: Path, scheme: str) -> None:
    """A row's logits do not depend on its neighbours, and its gradient is that of the rounded matrix in full."""
    model = train(bases / "llama", SCHEMES[scheme]).eval()
    layer = model.get_base_model().model.layers[0].mlp.down_proj.base_layer
    full = full_weight(layer, torch.float32).requires_grad_(True)
    x = torch.randn(2, 5, full.shape[1]) * 20  # outliers, which would be another matter beside others
    one, other = x.clone().requires_grad_(True), x.clone().requires_grad_(True)
    ours, theirs = layer(one), nn.functional.linear(other, full)
    assert torch.allclose(ours, theirs, atol=1e-4)
    ours.sum().backward()
    theirs.sum().backward()
    assert one.grad is not None and other.grad is not None
    assert torch.allclose(one.grad, other.grad, atol=1e-4)
    with torch.no_grad():
        assert torch.allclose(layer(x[:1]), ours[:1], atol=1e-5)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert layer(x).dtype == torch.bfloat16


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shape", ["llama", "llama3", "gpt2"])
def test_each_weight_is_near_the_one_that_it_was_made_of(bases: Path, shape: str, scheme: str) -> None:
    """Rows of 32 and of 48: bitsandbytes reads rows that are no multiple of 64 long with scales of other weights."""
    form = Form(QuantizationSettings.model_validate(SCHEMES[scheme]), "float32")
    few, full = load_for_inference(bases / shape, form=form), load_for_inference(bases / shape)
    worst = 0.0
    for name, layer in few.named_modules():
        if type(layer).__name__.startswith("Plain"):
            whole: Any = full.get_submodule(name)
            wanted = whole.weight.T if isinstance(whole, Conv1D) else whole.weight
            worst = max(worst, float((full_weight(layer) - wanted).detach().norm() / wanted.detach().norm()))
    assert 0 < worst < (0.01 if scheme == "int8" else 0.15)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shape", ["llama", "llama3", "gpt2"])
def test_the_forecast_of_memory_is_what_is_held(bases: Path, shape: str, scheme: str) -> None:
    wanted = QuantizationSettings.model_validate(SCHEMES[scheme])
    found = held_bytes(load_for_inference(bases / shape, form=Form(wanted, "float32")))
    expected = expected_bytes(tiny(shape), wanted, 4)
    assert expected == pytest.approx(found, rel=0.01)
    plain = held_bytes(load_for_inference(bases / shape))
    assert expected_bytes(tiny(shape), None, 4) == plain
    assert found < 0.8 * plain


@pytest.mark.parametrize("scheme", SCHEMES)
def test_as_many_numbers_as_before(bases: Path, scheme: str) -> None:
    model = load_for_inference(
        bases / "llama", form=Form(QuantizationSettings.model_validate(SCHEMES[scheme]), "float32")
    )
    assert sum(map(size_of, model.parameters())) == sum(p.numel() for p in tiny("llama").parameters())
