"""A21: weights stored in bfloat16 are trained in float32, or small updates are rounded away."""

from pathlib import Path
from typing import Any

import torch

from dadeum.config.model import ModelSettings
from dadeum.model.adapters import ADAPTERS
from dadeum.model.load import load_for_training
from dadeum.model.save import save_model
from tests.model.tiny import documents, packed, tiny
from tests.model.words import words


def moved(model: Any) -> float:
    """Share of the weights that 20 small steps of AdamW change."""
    from dadeum.model.nll import token_nll

    before = [p.detach().clone() for p in model.parameters()]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.0)
    for step in range(20):
        optimizer.zero_grad()
        token_nll(model, packed(documents(seed=step))).nll.mean().backward()
        optimizer.step()
    changed = sum(int((p != b).sum()) for p, b in zip(model.parameters(), before, strict=True))
    return changed / sum(b.numel() for b in before)


def test_small_steps_move_a_model_that_is_stored_in_bfloat16(tmp_path: Path) -> None:
    save_model(tiny("llama", torch.bfloat16), tmp_path)
    model = load_for_training(
        ModelSettings(name_or_path="x"), ADAPTERS.validate("full"), place=tmp_path, tokenizer=words(), precision="bf16",
        device="cpu", seed=0,
    )  # fmt: skip
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert moved(model) > 0.95
    assert moved(tiny("llama", torch.bfloat16).train()) < 0.5, "the control: in bfloat16 most of it is lost"
