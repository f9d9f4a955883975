"""Tiny bases in files, and adapters on them while they are held in few bits."""

from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.config.model import ModelSettings
from dadeum.model.adapters import ADAPTERS
from dadeum.model.load import load_for_training
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
