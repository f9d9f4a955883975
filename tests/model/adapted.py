"""A tiny model with an adapter that changes it, and the two folders of it."""

from pathlib import Path
from typing import Any

import torch

from dadeum.model.adapters import ADAPTERS
from dadeum.model.save import save_model
from tests.model.tiny import tiny

IDS = torch.arange(3, 20)[None]


def adapted(shape: str = "llama", dtype: torch.dtype = torch.float32, model: Any = None, **settings: Any) -> Any:
    """A PEFT model whose matrices are not zero, in evaluation mode."""
    lora = ADAPTERS.validate({"type": "lora", "r": 3, **settings})
    found: Any = ADAPTERS.of(lora).apply(lora, tiny(shape, dtype) if model is None else model)
    torch.manual_seed(3)
    with torch.no_grad():
        for name, parameter in found.named_parameters():
            if "lora_B" in name or "lora_embedding_B" in name:
                parameter.normal_(std=0.1)
    return found.eval()


def folders(place: Path, shape: str = "llama", **settings: Any) -> tuple[Path, Path, torch.Tensor]:
    """`(adapter, base, logits of both together)`."""
    model = adapted(shape, **settings)
    save_model(tiny(shape), place / "base")
    save_model(model, place / "adapter", stop_ids=(2, 9))
    with torch.no_grad():
        return place / "adapter", place / "base", model(IDS).logits
