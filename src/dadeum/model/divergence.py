"""How far a model's next token is from a teacher's: forward and reverse KL, Jensen-Shannon, in float32, some rows at a time.

Over the whole vocabulary, or over the teacher's k most likely tokens and one more outcome, any other token. What the two
vocabularies have beyond the shorter one is padding, and left out.
"""

import math
from typing import Any, Literal, NamedTuple

import torch

from dadeum.model.nll import rows_at_once

Kind = Literal["forward_kl", "reverse_kl", "jensen_shannon"]


class Measure(NamedTuple):
    """Which divergence, at which temperature; `beta` is the teacher's share in the mixture of Jensen-Shannon."""

    kind: Kind
    beta: float
    temperature: float


class Teaching(NamedTuple):
    """What a teacher says before each of N tokens.

    `ids` None: `values` are its logits (N,V). Else `values` (N,K) are the log-probabilities of the tokens `ids` (N,K) at the
    temperature of the measure, and `rest` (N,) that of any other of the first `width` tokens.
    """

    values: torch.Tensor
    ids: torch.Tensor | None = None
    rest: torch.Tensor | None = None
    width: int | None = None

    def cut(self, part: slice) -> "Teaching":
        """Some of the N."""
        if self.ids is None or self.rest is None:
            return Teaching(self.values[part])
        return Teaching(self.values[part], self.ids[part], self.rest[part], self.width)


def losses(
    logits_NV: torch.Tensor, targets_N: torch.Tensor, teaching: Teaching, measure: Measure
) -> tuple[torch.Tensor, torch.Tensor]:
    """NLL of the targets, and divergence × temperature² (Hinton: so its gradients keep their size), both (N,) in float32.

    Both in one: backward writes the gradient over the logits, as that of `nll.py` does.
    """
    found: tuple[torch.Tensor, torch.Tensor] = _Losses.apply(logits_NV, targets_N, measure, *teaching)  # type: ignore[no-untyped-call]
    return found


def most_likely(logits_NV: torch.Tensor, count: int, temperature: float, width: int) -> Teaching:
    """What is kept of a teacher's logits: the `count` most likely of its first `width` tokens, and all others together."""
    ids, values, rest = [], [], []
    width = min(width, logits_NV.shape[-1])
    for part in torch.split(logits_NV, rows_at_once(logits_NV)):
        scaled = part[:, :width].float() / temperature
        whole = scaled.logsumexp(-1)
        top = scaled.topk(min(count, scaled.shape[-1]), dim=-1)
        ids.append(top.indices)
        values.append(top.values - whole[:, None])
        rest.append(scaled.scatter(-1, top.indices, -math.inf).logsumexp(-1) - whole)
    return Teaching(torch.cat(values), torch.cat(ids), torch.cat(rest), width)


def _outcomes(
    scaled_NV: torch.Tensor, teaching: Teaching, measure: Measure
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Log-probabilities of the student's whole vocabulary, and of the outcomes that are compared: student's and teacher's."""
    log_p_NV = scaled_NV.log_softmax(-1)
    if teaching.ids is None:
        return (
            log_p_NV,
            log_p_NV,
            (teaching.values[:, : scaled_NV.shape[1]].float() / measure.temperature).log_softmax(-1),
        )
    assert teaching.rest is not None
    mine, theirs = log_p_NV.gather(-1, teaching.ids), teaching.values.float()
    if teaching.ids.shape[1] < scaled_NV.shape[1]:
        rest = log_p_NV.scatter(-1, teaching.ids, -math.inf).logsumexp(-1)
        mine, theirs = torch.cat([mine, rest[:, None]], -1), torch.cat([theirs, teaching.rest[:, None]], -1)
    return log_p_NV, mine, theirs


def _expected(log_of: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Each outcome's probability × value; 0 where it never happens, whatever the value."""
    probability = log_of.exp()
    return torch.where(probability > 0, probability * value, 0.0)


def _compared(log_p: torch.Tensor, log_q: torch.Tensor, measure: Measure) -> tuple[torch.Tensor, torch.Tensor]:
    """The divergence (N,), and its gradient by the logits of the student's outcomes."""
    if measure.kind == "forward_kl":
        return _expected(log_q, log_q - log_p).sum(-1), log_p.exp() - log_q.exp()
    if measure.kind == "reverse_kl":
        each = _expected(log_p, log_p - log_q)
        total = each.sum(-1)
        return total, each - log_p.exp() * total[:, None]
    beta = measure.beta
    log_m = torch.logaddexp(log_p + math.log1p(-beta), log_q + math.log(beta))
    each = (1 - beta) * _expected(log_p, log_p - log_m)
    total = each.sum(-1)
    return total + beta * _expected(log_q, log_q - log_m).sum(-1), each - log_p.exp() * total[:, None]


class _Losses(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        logits_NV: torch.Tensor,
        targets_N: torch.Tensor,
        measure: Measure,
        values: torch.Tensor,
        ids: torch.Tensor | None,
        rest: torch.Tensor | None,
        width: int | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        ctx.measure, ctx.width = measure, width
        ctx.save_for_backward(logits_NV, targets_N, values, ids, rest)
        teaching = Teaching(values, ids, rest, width)
        nll_N = -logits_NV.gather(-1, targets_N[:, None])[:, 0].float()
        apart_N = torch.zeros_like(nll_N)
        for cut in _cuts(logits_NV):
            part = logits_NV[cut].float()
            nll_N[cut] += part.logsumexp(-1)
            _, mine, theirs = _outcomes(_scaled(part, teaching, measure), teaching.cut(cut), measure)
            apart_N[cut] = _compared(mine, theirs, measure)[0] * measure.temperature**2
        return nll_N, apart_N

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None, None, None, None, None]:
        logits_NV, targets_N, values, ids, rest = ctx.saved_tensors
        teaching, measure = Teaching(values, ids, rest, ctx.width), ctx.measure
        hard_N, soft_N = grads
        for cut in _cuts(logits_NV):
            part = logits_NV[cut].float()
            gradient = part.softmax(-1).mul_(hard_N[cut, None])
            gradient.scatter_add_(-1, targets_N[cut, None], -hard_N[cut, None])
            piece = teaching.cut(cut)
            log_p, mine, theirs = _outcomes(_scaled(part, teaching, measure), piece, measure)
            wanted = _compared(mine, theirs, measure)[1]
            if piece.ids is not None:
                wanted = _spread(wanted, log_p, mine, piece.ids)
            gradient[:, : wanted.shape[1]] += wanted * (measure.temperature * soft_N[cut, None])
            logits_NV[cut] = gradient
        return logits_NV, None, None, None, None, None, None


def _scaled(part: torch.Tensor, teaching: Teaching, measure: Measure) -> torch.Tensor:
    """The student's logits ÷ temperature, of the tokens that both have."""
    width = teaching.values.shape[1] if teaching.width is None else teaching.width
    return part[:, :width] / measure.temperature


def _spread(gradient: torch.Tensor, log_p: torch.Tensor, mine: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The gradient by the outcomes as one by all logits: that of any other token is shared out by their probabilities."""
    count = ids.shape[1]
    if mine.shape[1] == count:
        return torch.zeros_like(log_p).scatter_(-1, ids, gradient)
    shared = (log_p - mine[:, count:]).exp() * gradient[:, count:]
    return shared.scatter_(-1, ids, gradient[:, :count])


def _cuts(logits_NV: torch.Tensor) -> list[slice]:
    size = rows_at_once(logits_NV)
    return [slice(start, start + size) for start in range(0, logits_NV.shape[0], size)]
