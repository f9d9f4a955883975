"""A16: a tensor that is absent from the file must not be drawn at random in silence."""

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from dadeum.core.errors import ModelError
from dadeum.model.load import load_for_inference
from dadeum.model.save import save_model
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
