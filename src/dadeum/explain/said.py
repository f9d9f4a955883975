"""What the model said in the loop's own forward pass: the probability of each trained token, read before the backward pass.

The loop's loss is made of these very logits, with whatever dropout they were drawn under.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dadeum.model.headed import Outputs, headed_of
from dadeum.model.nll import rows_at_once, virtual_tokens

TOP = 3


@dataclass
class Tokens:
    """One entry for each trained token of a micro-batch, on the CPU."""

    document: list[int]  # which sequence of the micro-batch
    place: list[int]  # in that sequence
    id: list[int]
    weight: list[float]
    nll: list[float]  # -ln p, 64 bits
    spread: list[float]  # -ln p, the mean over the whole vocabulary: what label smoothing mixes in
    rank: list[int]
    top_ids: list[list[int]]
    top_p: list[list[float]]


@dataclass
class Caught:
    """What was caught: tokens of a language model, or what heads said; nothing where neither can be told."""

    tokens: Tokens | None = None
    outputs: Outputs | None = None

    @classmethod
    def of(cls, module: nn.Module, batch: Mapping[str, Any], outputs: list[Any]) -> "Caught":
        """Of the outputs in the order in which they came."""
        if headed_of(module) is not None:
            heads = next((one for one in outputs if isinstance(one, Outputs)), None)
            if heads is None:
                return cls()
            return cls(outputs=Outputs({k: v.detach().cpu() for k, v in heads.heads.items()}, heads.borders.cpu()))
        for output in outputs:
            logits = getattr(output, "logits", None)
            if isinstance(logits, Tensor):
                found = _tokens(module, batch, logits.detach())
                if found is not None:
                    return cls(found)
        return cls()


@contextlib.contextmanager
def catching(module: nn.Module) -> Iterator[list[Any]]:
    """Collect what the model gives inside, where gradients are wanted of it."""
    outputs: list[Any] = []

    def keep(_: nn.Module, __: Any, output: Any) -> None:
        if torch.is_grad_enabled():
            outputs.append(output)

    # The outermost module: some of PEFT's models call the forward of what they hold past its hooks.
    handle = module.register_forward_hook(keep)
    try:
        yield outputs
    finally:
        handle.remove()


def _tokens(module: nn.Module, batch: Mapping[str, Any], logits: Tensor) -> Tokens | None:
    """Facts of the trained tokens; None where the logits are not those of this batch."""
    ids_BL, weights_BL = batch["input_ids"], batch["weights"]
    rows, columns = torch.nonzero(weights_BL[:, 1:] > 0, as_tuple=True)
    if logits.shape[:-1].numel() == len(rows):
        logits_NV = logits.reshape(-1, logits.shape[-1])
    elif logits.shape[0] == ids_BL.shape[0] and logits.shape[1] >= ids_BL.shape[1]:
        logits_NV = logits[rows, columns + virtual_tokens(module)]
    else:
        return None
    document, place = rows, columns + 1
    if "cu_seqlens" in batch:
        borders = batch["cu_seqlens"].to(columns.device, torch.int64)
        document = torch.searchsorted(borders, columns + 1, right=True) - 1
        place = columns + 1 - borders[document]
    targets = ids_BL[rows, columns + 1]
    found = Tokens(
        document.tolist(), place.tolist(), targets.tolist(), weights_BL[rows, columns + 1].tolist(), [], [], [], [], []
    )
    size = rows_at_once(logits_NV)
    for start in range(0, len(targets), size):
        cut = slice(start, start + size)
        part = logits_NV[cut].double()
        own = part.gather(-1, targets[cut, None])
        log_sum = part.logsumexp(-1)
        found.nll += (log_sum - own[:, 0]).tolist()
        found.spread += (log_sum - part.mean(-1)).tolist()
        found.rank += ((part > own).sum(-1) + 1).tolist()
        best = part.topk(min(TOP, part.shape[-1]))
        found.top_ids += best.indices.tolist()
        found.top_p += (best.values - log_sum[:, None]).exp().tolist()
    return found
