"""A16: a tensor that is absent from the file must not be drawn at random in silence."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dadeum.core.errors import ModelError
from dadeum.model.load import load_for_inference
from dadeum.model.merge import merge
from dadeum.model.save import save_model
from tests.model.adapted import IDS, adapted
from tests.model.tiny import tiny


@pytest.mark.parametrize("name", ["lm_head.weight", "model.layers.1.mlp.up_proj.weight", "model.norm.weight"])
def test_an_absent_tensor_is_an_error_that_names_it(name: str, tmp_path: Path) -> None:
    save_model(tiny("llama"), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors[name]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=rf"1 tensors are absent .* would be random: {name}"):
        load_for_inference(tmp_path)


def test_a_tied_output_layer_is_not_absent(tmp_path: Path) -> None:
    save_model(tiny("llama", tie_word_embeddings=True), tmp_path)
    assert "lm_head.weight" not in load_file(tmp_path / "model.safetensors")
    load_for_inference(tmp_path)


def test_a_module_trained_whole_travels_with_the_adapter_or_is_missed(tmp_path: Path) -> None:
    save_model(tiny("llama"), tmp_path / "base")
    model = adapted(modules_to_save=["lm_head"])
    with torch.no_grad():
        model.get_base_model().lm_head.modules_to_save["default"].weight.mul_(1.5)
    save_model(model, tmp_path / "adapter")
    again: Any = load_for_inference(tmp_path / "adapter", base=tmp_path / "base")
    assert (again(IDS).logits - model(IDS).logits).abs().max() <= 1e-6
    merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged")
    whole: Any = load_for_inference(tmp_path / "merged")
    assert (whole(IDS).logits - model(IDS).logits).abs().max() <= 1e-4
    tensors = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    del tensors["base_model.model.lm_head.weight"]
    save_file(tensors, tmp_path / "adapter" / "adapter_model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"tensor 'base_model\.model\.lm_head\.weight' is absent"):
        load_for_inference(tmp_path / "adapter", base=tmp_path / "base")
