"""Where an engine finds its device, its tokenizer and its prompt contract."""

from pathlib import Path
from typing import Any

import torch

from dadeum.data.contract import FILE, PromptContract, open_prompt
from dadeum.data.render import Renderer
from dadeum.model.files import is_adapter
from dadeum.model.load import named_base
from dadeum.tokenizer.load import load_tokenizer


def default_device() -> str:
    """`cuda`, `mps` or `cpu`: the first that works here."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def open_contract(folder: Path, base: Path | None = None) -> tuple[Any, PromptContract]:
    """Tokenizer and prompt contract of a model's folder.

    A folder that dadeum saved is held to its contract; any other model is asked by its own chat template. An adapter
    without a tokenizer takes that of its base.
    """
    if (folder / FILE).is_file():
        return open_prompt(folder)
    if is_adapter(folder) and not any(
        (folder / name).is_file() for name in ("tokenizer.json", "vocab.json", "tokenizer.model")
    ):
        return open_contract(base or named_base(folder))
    tokenizer = load_tokenizer(folder)
    return tokenizer, PromptContract.of(Renderer(tokenizer))
