"""Frozen weights in few bits: held, trained upon, saved without them, loaded again, merged into the base in full."""

import json
from pathlib import Path

import pytest
import torch

from dadeum.config.model import ModelSettings, QuantizationSettings
from dadeum.core.errors import MissingExtra, ModelError
from dadeum.model import quantize
from dadeum.model.adapters import ADAPTERS
from dadeum.model.few_bits import is_quantized
from dadeum.model.form import FILE
from dadeum.model.load import load_for_inference, load_for_training
from dadeum.model.merge import merge
from dadeum.model.save import save_model
from tests.model.quantized import IDS, NF4, SCHEMES, bases, taught, train
from tests.model.words import words

__all__ = ["bases"]


@pytest.mark.parametrize(("shape", "scheme"), [("llama", "nf4"), ("llama3", "int8"), ("gpt2", "fp4"), ("gpt2", "int8")])
def test_trained_saved_loaded_and_merged_into_the_base_in_full(
    bases: Path, tmp_path: Path, shape: str, scheme: str
) -> None:
    """Faults A15, B25: the adapter holds nothing of the base; it goes back onto it as it was, and merges into what is stored."""
    model = taught(train(bases / shape, SCHEMES[scheme]))
    assert is_quantized(model)
    assert {p.dtype for p in model.parameters() if p.requires_grad} == {torch.float32}
    core = model.get_base_model()
    assert core.get_output_embeddings().weight.dtype == core.get_input_embeddings().weight.dtype == torch.float32
    save_model(model, tmp_path / "adapter")
    assert all("lora_" in name for name in _names(tmp_path / "adapter" / "adapter_model.safetensors"))
    with torch.no_grad():
        expected = model(IDS).logits
        again = load_for_inference(tmp_path / "adapter", base=bases / shape)
        assert is_quantized(again)
        assert torch.equal(again(IDS).logits, expected)
        full = load_for_inference(tmp_path / "adapter", base=bases / shape, quantized=False)
        merge(tmp_path / "adapter", bases / shape, tmp_path / "merged")
        merged = load_for_inference(tmp_path / "merged")
        assert not is_quantized(merged)
        assert (merged(IDS).logits - full(IDS).logits).abs().max() <= 1e-4
        assert not torch.equal(merged(IDS).logits, expected), "the control: rounding is to be seen"


def _names(file: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:  # type: ignore[no-untyped-call]
        return list(opened.keys())


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
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):  # as in training
        expected = model(IDS).logits
    with torch.no_grad():
        assert torch.equal(again(IDS).logits, expected)


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


@pytest.mark.parametrize("kind", ["ia3", "adalora", "vera"])
def test_other_adapters_beside_few_bits_are_used_as_they_were_trained(bases: Path, tmp_path: Path, kind: str) -> None:
    """In bfloat16, where several of PEFT's layers cannot mix types by themselves."""
    model = ModelSettings(name_or_path="x", quantization=QuantizationSettings(bits=8))
    trained = load_for_training(
        model, ADAPTERS.validate(kind), place=bases / "llama", tokenizer=words(), precision="bf16", device="cpu", seed=0
    )  # fmt: skip
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        expected = trained.eval()(IDS).logits
    save_model(trained, tmp_path)
    with torch.no_grad():
        assert torch.equal(load_for_inference(tmp_path, base=bases / "llama")(IDS).logits, expected)


def test_an_adapter_that_cannot_stand_beside_four_bits_is_refused(bases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known to fail is refused before; what is not known is found with two tokens."""
    monkeypatch.setattr("dadeum.model.load.refuse", lambda *_: None)
    model = ModelSettings(name_or_path="x", quantization=QuantizationSettings())
    with pytest.raises(ModelError, match=r"adapter 'peft' cannot stand beside layers of 4 bits \(.*shapes"):
        load_for_training(
            model, ADAPTERS.validate({"type": "peft", "peft_type": "LOHA"}), place=bases / "llama", tokenizer=words(),
            precision="fp32", device="cpu", seed=0, packing=False,
        )  # fmt: skip
