"""Where the tokens of a packed row go for attention: groups of documents of like length, padded inside the group."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass(frozen=True)
class Group:
    """Documents of like length: slots `start` to `start + documents * length` of the padded layout."""

    start: int
    documents: int
    length: int


@dataclass(frozen=True)
class Plan:
    """Where each token of a packed row goes. Made once a batch, used by every layer.

    `gather` (S,) is the token of each padded slot, `scatter` (T,) the slot of each token. A slot of padding repeats
    the last token of its own document, so nothing of another document is ever near.
    """

    gather: torch.Tensor
    scatter: torch.Tensor
    groups: tuple[Group, ...]
    longest: tuple[int, int]  # first token and length of the longest document
    windows: dict[tuple[int, int], torch.Tensor] = field(default_factory=dict)

    def window(self, length: int, size: int) -> torch.Tensor:
        """Boolean mask (length, length): causal, and at most `size` tokens back. Kept for the next layer."""
        if (length, size) not in self.windows:
            place = torch.arange(length, device=self.gather.device)
            back = place[:, None] - place[None, :]
            self.windows[length, size] = (back >= 0) & (back < size)
        return self.windows[length, size]


def make_plan(cu_seqlens: torch.Tensor, device: torch.device | None = None) -> Plan:
    """The plan of a packed row whose documents end at `cu_seqlens` (n+1,)."""
    borders: list[int] = cu_seqlens.tolist()
    documents = sorted(((a, b - a) for a, b in itertools.pairwise(borders)), key=_by_length)
    gather: list[torch.Tensor] = []
    scatter = torch.empty(borders[-1], dtype=torch.int64)
    groups: list[Group] = []
    longest = documents[0]
    start = 0
    while documents:
        length = documents[0][1]
        # Half of the longest at least: padding stays below a quarter of the slots on even spreads, and kernels stay few.
        members = [d for d in documents if 2 * d[1] >= length]
        documents = documents[len(members) :]
        first = torch.tensor([d[0] for d in members])[:, None]
        size = torch.tensor([d[1] for d in members])[:, None]
        step = torch.arange(length)[None, :]
        gather.append((first + torch.minimum(step, size - 1)).flatten())
        real = (step < size).flatten()
        scatter[gather[-1][real]] = torch.arange(start, start + len(members) * length)[real]
        groups.append(Group(start, len(members), length))
        start += len(members) * length
    return Plan(
        gather=torch.cat(gather).to(device or cu_seqlens.device),
        scatter=scatter.to(device or cu_seqlens.device),
        groups=tuple(groups),
        longest=longest,
    )


def _by_length(document: tuple[int, int]) -> tuple[int, int]:
    return -document[1], document[0]


class Gather(torch.autograd.Function):
    """Rows (T, …) to slots (S, …). Gradients of padding are zero, so backward is a gather too, not an addition."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, plan: Plan) -> torch.Tensor:
        """(T, …) to (S, …)."""
        ctx.plan = plan
        return rows.index_select(0, plan.gather)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        """(S, …) to (T, …)."""
        return grads[0].index_select(0, ctx.plan.scatter), None


class Scatter(torch.autograd.Function):
    """Slots (S, …) to rows (T, …); padding is dropped, and gets no gradient."""

    @staticmethod
    def forward(ctx: Any, slots: torch.Tensor, plan: Plan) -> torch.Tensor:
        """(S, …) to (T, …)."""
        ctx.plan = plan
        return slots.index_select(0, plan.scatter)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        """(T, …) to (S, …)."""
        slots = grads[0].new_zeros((ctx.plan.gather.shape[0], *grads[0].shape[1:]))
        return slots.index_copy_(0, ctx.plan.scatter, grads[0]), None
