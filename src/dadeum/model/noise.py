"""NEFTune (arXiv 2310.05914): noise on the input embeddings, while a model is trained."""

import contextlib
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from dadeum.model.packing import unwrap


@contextlib.contextmanager
def noisy(model: nn.Module, batch: Mapping[str, torch.Tensor], alpha: float) -> Iterator[None]:
    """Inside, a forward pass of `batch` adds uniform noise to the embeddings of each sample, of at most alpha ÷ √(L·d).

    L is the sample's own length, whatever it shares a row with; padding gets none. Sample by sample is drawn, from torch's
    own state: how samples are laid out changes no draw. Nothing is added in evaluation mode.
    """
    core: Any = unwrap(model)
    if not alpha or not model.training:
        yield
        return
    if "cu_seqlens" in batch:
        borders = batch["cu_seqlens"].tolist()
        spans = [(0, a, b) for a, b in itertools.pairwise(borders)]
    else:
        spans = [(row, 0, length) for row, length in enumerate(batch["attention_mask"].sum(-1).tolist())]

    def add(module: nn.Module, given: Any, made_BLD: torch.Tensor) -> torch.Tensor:
        noise_BLD = torch.zeros_like(made_BLD)
        for row, start, end in spans:
            most = alpha / math.sqrt((end - start) * made_BLD.shape[-1])
            noise_BLD[row, start:end].uniform_(-most, most)
        return made_BLD + noise_BLD

    hook = core.get_input_embeddings().register_forward_hook(add)
    try:
        yield
    finally:
        hook.remove()
