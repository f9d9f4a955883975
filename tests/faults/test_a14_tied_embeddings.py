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
