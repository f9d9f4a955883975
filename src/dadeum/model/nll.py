"""The negative log-likelihood of each trained token. Logits are made only where the next token is trained."""

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import nn

from dadeum.model.attention import running
from dadeum.model.packing import packed_inputs, packs_with, peft_of, unwrap

# Elements of the logits that are worked on at once: 8 MB of float32, about what a cache holds.
CHUNK = 2**21


class TokenNLL(NamedTuple):
    """One entry for each of the N tokens whose weight is above 0, in the order of the batch."""

    nll: torch.Tensor  # (N,) float32, in nats
    weights: torch.Tensor  # (N,) float32
    document: torch.Tensor  # (N,) int64: which sample of the batch the token belongs to


class TokenLogits(NamedTuple):
    """What a model says at the places before the N trained tokens, in the order of the batch."""

    logits: torch.Tensor  # (N,V) in the model's type
    targets: torch.Tensor  # (N,) int64
    weights: torch.Tensor  # (N,) float32
    document: torch.Tensor  # (N,) int64: which sample of the batch the token belongs to


def token_nll(model: nn.Module, batch: Mapping[str, torch.Tensor], *, label_smoothing: float = 0.0) -> TokenNLL:
    """The NLL of the trained tokens of a batch made by `data.batch.collate`, packed or padded.

    `label_smoothing`: so much of each target is shared out among all tokens, as `cross_entropy` does it. The result carries
    gradients where they are enabled; with no trained token it is empty and still hangs on the model. See `token_logits`.
    """
    said = token_logits(model, batch)
    nll: torch.Tensor = _NLL.apply(said.logits, said.targets, label_smoothing)  # type: ignore[no-untyped-call]
    return TokenNLL(nll, said.weights, said.document)


def token_logits(model: nn.Module, batch: Mapping[str, torch.Tensor]) -> TokenLogits:
    """The logits before each trained token. `model` may be wrapped by PEFT and DDP.

    Raises ModelError where the model cannot pack.
    """
    ids_BL, weights_BL = batch["input_ids"], batch["weights"]
    rows, columns = torch.nonzero(weights_BL[:, 1:] > 0, as_tuple=True)
    if "cu_seqlens" in batch:
        packs_with(model)
        inputs = packed_inputs(model, ids_BL, batch["position_ids"], batch["cu_seqlens"])
        borders = batch["cu_seqlens"].to(columns.device, torch.int64)
        document = torch.searchsorted(borders, columns + 1, right=True) - 1
    else:
        inputs = {"input_ids": ids_BL, "attention_mask": batch["attention_mask"], "use_cache": False}
        document = rows
    logits_NV = _logits(model, inputs, rows, columns, ids_BL.shape)
    return TokenLogits(logits_NV, ids_BL[rows, columns + 1], weights_BL[rows, columns + 1], document)


def _logits(
    model: nn.Module, inputs: dict[str, Any], rows: torch.Tensor, columns: torch.Tensor, shape: torch.Size
) -> torch.Tensor:
    """Logits (N,V) at the given places, projected there only where the model's forward can do so."""
    core, before = unwrap(model), virtual_tokens(model)
    columns = columns + before
    shape = torch.Size((shape[0], shape[1] + before))
    selects = "logits_to_keep" in inspect.signature(type(core).forward).parameters
    if selects and shape[0] == 1:
        inputs["logits_to_keep"] = columns
    elif selects and type(core).__module__.startswith("transformers."):
        keep = torch.zeros(shape, dtype=torch.bool, device=rows.device)
        keep[rows, columns] = True
        inputs["logits_to_keep"] = keep
    with running(inputs.get("packed_plan")):
        logits: torch.Tensor = model(**inputs).logits
    if "logits_to_keep" not in inputs:
        return logits[rows, columns]
    return logits.reshape(-1, logits.shape[-1])


def virtual_tokens(model: nn.Module) -> int:
    """How many places come before each text that no one wrote: prompt tuning's embeddings. Those of a cache have none."""
    peft = peft_of(model)
    config: Any = peft.active_peft_config if peft is not None else None
    if config is None or not config.is_prompt_learning or config.peft_type == "PREFIX_TUNING":
        return 0
    return int(config.num_virtual_tokens)


class _NLL(torch.autograd.Function):
    """`logsumexp(logits) - logits[target]` in float32, row by row; of `smoothing` the mean of the logits is taken instead.

    Backward writes the gradient over the logits, which nothing else needs: the largest tensor of a step is held once.
    A second backward through the same graph is an error of autograd, not a wrong number.
    """

    @staticmethod
    def forward(ctx: Any, logits_NV: torch.Tensor, targets_N: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        ctx.smoothing = smoothing
        lse_N = logits_NV.new_zeros(len(targets_N), dtype=torch.float32)
        nll_N = -logits_NV.gather(-1, targets_N[:, None])[:, 0].float()
        size = rows_at_once(logits_NV)
        for start in range(0, len(targets_N), size):
            cut = slice(start, start + size)
            part = logits_NV[cut].float()
            lse_N[cut] = part.logsumexp(-1)
            if smoothing:
                nll_N[cut] = (1 - smoothing) * nll_N[cut] - smoothing * part.mean(-1)
        ctx.save_for_backward(logits_NV, targets_N, lse_N)
        return nll_N.add_(lse_N)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        logits_NV, targets_N, lse_N = ctx.saved_tensors
        grad_N = grads[0]
        size = rows_at_once(logits_NV)
        for start in range(0, logits_NV.shape[0], size):
            cut = slice(start, start + size)
            part = logits_NV[cut]
            probability = (
                part.float().sub_(lse_N[cut, None]) if part.dtype != torch.float32 else part.sub_(lse_N[cut, None])
            )
            probability.exp_().mul_(grad_N[cut, None])
            if ctx.smoothing:
                probability.sub_(grad_N[cut, None] * (ctx.smoothing / logits_NV.shape[-1]))
            probability.scatter_add_(-1, targets_N[cut, None], (ctx.smoothing - 1) * grad_N[cut, None])
            if probability.dtype != part.dtype:
                part.copy_(probability)
        return logits_NV, None, None


def rows_at_once(logits_NV: torch.Tensor) -> int:
    """How many rows are worked on together."""
    return max(1, CHUNK // max(1, logits_NV.shape[-1]))
