"""One answer, and the seed under which it is drawn."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Reply:
    """One answer. `ids` is without the token that ended it; `new_tokens` counts that one too."""

    text: str
    ids: tuple[int, ...]
    prompt_tokens: int
    new_tokens: int
    cut: bool  # stopped by `max_new_tokens` (or the context), not by itself
    seconds: float  # in a batch, its share of the batch's time


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from `seed`, and leave the random state of the process as it was."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
