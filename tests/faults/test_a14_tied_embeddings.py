"""A14: merging on tied embeddings must keep them tied, or say that they are not."""

from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.errors import ModelError
from dadeum.model.load import load_for_inference
from dadeum.model.merge import merge
from dadeum.model.save import save_model
from tests.model.adapted import IDS, adapted
from tests.model.tiny import tiny


def test_tied_stays_tied_and_the_logits_stay(tmp_path: Path) -> None:
    save_model(tiny("qwen2", tie_word_embeddings=True), tmp_path / "base")
    model = adapted(model=tiny("qwen2", tie_word_embeddings=True))
    save_model(model, tmp_path / "adapter")
    merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged")
    found: Any = load_for_inference(tmp_path / "merged")
    assert found.get_input_embeddings().weight is found.get_output_embeddings().weight
    assert found.config.tie_word_embeddings is True
    with torch.no_grad():
        assert (found(IDS).logits - model(IDS).logits).abs().max() <= 1e-4


def test_matrices_on_one_of_the_two_are_refused_before_training() -> None:
    with pytest.raises(ModelError, match="'lm_head', whose weights are also those of another layer"):
        adapted(model=tiny("qwen2", tie_word_embeddings=True), target_modules=["q_proj", "lm_head"])


@pytest.mark.parametrize("shape", ["qwen3", "gpt2", "llama3"])
@pytest.mark.parametrize("name", ["lm_head", "embedding"])
def test_the_two_trained_whole_stay_one(name: str, shape: str, tmp_path: Path) -> None:
    """PEFT writes the pair under the embedding's name, and would read only one of GPT-2's back."""
    if name == "embedding":
        name = "wte" if shape == "gpt2" else "embed_tokens"
    save_model(tiny(shape), tmp_path / "base")
    model = adapted(shape, modules_to_save=[name])
    with torch.no_grad():
        trained = [p for n, p in model.named_parameters() if p.requires_grad and "lora" not in n]
        assert len(trained) == 1
        trained[0].add_(torch.randn_like(trained[0]) * 0.1)
    save_model(model, tmp_path / "adapter")
    again: Any = load_for_inference(tmp_path / "adapter", base=tmp_path / "base")
    merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged")
    found: Any = load_for_inference(tmp_path / "merged")
    assert found.get_input_embeddings().weight is found.get_output_embeddings().weight
    with torch.no_grad():
        assert (again(IDS).logits - model(IDS).logits).abs().max() <= 1e-6
        assert (found(IDS).logits - model(IDS).logits).abs().max() <= 1e-4
        assert (found(IDS).logits - tiny(shape)(IDS).logits).abs().max() > 0.1
