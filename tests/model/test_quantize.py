"""Frozen weights in few bits: held, trained upon, saved without them, loaded again, merged into the base in full."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dadeum.config.model import ModelSettings, QuantizationSettings
from dadeum.core.errors import MissingExtra, ModelError
from dadeum.model import quantize
from dadeum.model.adapters import ADAPTERS
from dadeum.model.form import FILE, Form
from dadeum.model.load import load_for_inference, load_for_training
from dadeum.model.merge import merge
from dadeum.model.save import save_model
from tests.model.tiny import documents, packed, tiny
from tests.model.words import words

IDS = torch.arange(3, 20)[None]
NF4: dict[str, Any] = {"bits": 4}
SCHEMES: dict[str, dict[str, Any]] = {
    "nf4": NF4,
    "fp4": {"type": "fp4", "double_quantization": False},
    "int8": {"bits": 8},
}


def train(place: Path, wanted: dict[str, Any] | None, *, precision: str = "fp32", **settings: Any) -> Any:
    """A LoRA on the base in `place`, untrained."""
    model = ModelSettings(name_or_path=str(place), quantization=wanted)  # type: ignore[arg-type]
    adapter = ADAPTERS.validate({"type": "lora", "r": 4, **settings})
    return load_for_training(
        model, adapter, place=place, tokenizer=words(), precision=precision, device="cpu", seed=0
    )  # fmt: skip


def taught(model: Any, steps: int = 3) -> Any:
    from dadeum.model.nll import token_nll

    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for step in range(steps):
        optimizer.zero_grad()
        token_nll(model, packed(documents(seed=step))).nll.mean().backward()
        optimizer.step()
    return model.eval()


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bases")
    for shape in ("llama", "llama3", "gpt2"):
        save_model(tiny(shape), root / shape)
    return root


@pytest.mark.parametrize(("shape", "scheme"), [("llama", "nf4"), ("llama3", "int8"), ("gpt2", "fp4"), ("gpt2", "int8")])
def test_trained_saved_loaded_and_merged_into_the_base_in_full(
    bases: Path, tmp_path: Path, shape: str, scheme: str
) -> None:
    """Faults A15, B25: the adapter holds nothing of the base; it goes back onto it as it was, and merges into what is stored."""
    model = taught(train(bases / shape, SCHEMES[scheme]))
    assert quantize.is_quantized(model)
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
    core = model.get_base_model()
    assert core.get_output_embeddings().weight.dtype == core.get_input_embeddings().weight.dtype == torch.float32
    save_model(model, tmp_path / "adapter")
    assert all("lora_" in name for name in _names(tmp_path / "adapter" / "adapter_model.safetensors"))
    with torch.no_grad():
        expected = model(IDS).logits
        again = load_for_inference(tmp_path / "adapter", base=bases / shape)
        assert quantize.is_quantized(again)
        assert torch.equal(again(IDS).logits, expected)
        full = load_for_inference(tmp_path / "adapter", base=bases / shape, quantized=False)
        merge(tmp_path / "adapter", bases / shape, tmp_path / "merged")
        merged = load_for_inference(tmp_path / "merged")
        assert not quantize.is_quantized(merged)
        assert (merged(IDS).logits - full(IDS).logits).abs().max() <= 1e-4
        assert not torch.equal(merged(IDS).logits, expected), "the control: rounding is to be seen"


def _names(file: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:  # type: ignore[no-untyped-call]
        return list(opened.keys())


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


def test_eight_bits_round_weights_alone(bases: Path) -> None:
    """A row's logits do not depend on its neighbours, and its gradient is that of the rounded matrix in full."""
    model = train(bases / "llama", {"bits": 8}).eval()
    layer = model.get_base_model().model.layers[0].mlp.down_proj.base_layer
    full = (layer.weight.data.float() * (layer.weight.SCB / 127)[:, None]).requires_grad_(True)
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


def test_the_type_of_the_training_travels(bases: Path, tmp_path: Path) -> None:
    """Trained in bfloat16, it is used in bfloat16: the same rounded weights, wherever it is asked."""
    model = taught(train(bases / "llama", NF4, precision="bf16"), steps=1)
    save_model(model, tmp_path)
    assert json.loads((tmp_path / FILE).read_text("utf-8")) == {
        "version": 1,
        "quantization": {"bits": 4, "type": None, "double_quantization": None},
        "dtype": "bfloat16",
        "rows": None,
        "untied": False,
    }
    again = load_for_inference(tmp_path, base=bases / "llama")
    with torch.no_grad():
        assert torch.equal(again(IDS).logits, model(IDS).logits)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shape", ["llama", "llama3", "gpt2"])
def test_the_forecast_of_memory_is_what_is_held(bases: Path, shape: str, scheme: str) -> None:
    wanted = QuantizationSettings.model_validate(SCHEMES[scheme])
    found = quantize.held_bytes(load_for_inference(bases / shape, form=Form(wanted, "float32")))
    expected = quantize.expected_bytes(tiny(shape), wanted, 4)
    assert expected == pytest.approx(found, rel=0.01)
    plain = quantize.held_bytes(load_for_inference(bases / shape))
    assert quantize.expected_bytes(tiny(shape), None, 4) == plain
    assert found < 0.8 * plain


def test_a_way_that_trains_the_base_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    model = ModelSettings(name_or_path="x", quantization=QuantizationSettings())
    with pytest.raises(ModelError, match=r"model\.quantization: not with adapter 'full'"):
        load_for_training(
            model, ADAPTERS.validate("full"), place=tmp_path / "nowhere", tokenizer=words(), precision="fp32",
            device="cpu", seed=0,
        )  # fmt: skip


def test_without_the_package_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantize, "PACKAGE", "bitsandbytes_that_nobody_has")
    model = ModelSettings(name_or_path="x", quantization=QuantizationSettings())
    with pytest.raises(MissingExtra, match=r'pip install "dadeum\[quantize\]"'):
        quantize.refuse(model, ADAPTERS.validate("lora"))


def test_a_device_that_the_package_lacks_is_named() -> None:
    """Faults B7."""
    with pytest.raises(ModelError, match="has nothing for 'meta'; use one of cpu, cuda"):
        quantize.loading(QuantizationSettings(), torch.float32, "meta")


def test_no_code_is_fetched_for_it() -> None:
    """Faults C2: with the package `kernels` bitsandbytes would download compiled code and run it."""
    assert sys.modules["kernels"] is None
    with pytest.raises(ImportError):
        import kernels  # noqa: F401
