"""Packed attention: the documents of one row, each seeing only itself, without a T x T mask.

`dadeum_packed` is registered beside transformers' own attention functions. Given a `Plan` it gathers the row into
padded groups of documents of like length, runs one causal scaled_dot_product_attention a group, and scatters the result
back. Without a plan (generation, padded evaluation) it is transformers' sdpa. What it does not know it refuses.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from dadeum.core.errors import ModelError
from dadeum.core.language import say

NAME = "dadeum_packed"
# Passed down to attention functions without a bearing on what they compute.
HARMLESS = frozenset(
    {"position_ids", "position_embeddings", "cache_position", "use_cache", "num_items_in_batch", "return_dict",
     "output_hidden_states", "output_router_logits", "layer_idx"}
)  # fmt: skip


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


class _Gather(torch.autograd.Function):
    """Rows (T, …) to slots (S, …). Gradients of padding are zero, so backward is a gather too, not an addition."""

    @staticmethod
    def forward(ctx: Any, rows: torch.Tensor, plan: Plan) -> torch.Tensor:
        ctx.plan = plan
        return rows.index_select(0, plan.gather)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        return grads[0].index_select(0, ctx.plan.scatter), None


class _Scatter(torch.autograd.Function):
    """Slots (S, …) to rows (T, …); padding is dropped, and gets no gradient."""

    @staticmethod
    def forward(ctx: Any, slots: torch.Tensor, plan: Plan) -> torch.Tensor:
        ctx.plan = plan
        return slots.index_select(0, plan.scatter)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        slots = grads[0].new_zeros((ctx.plan.gather.shape[0], *grads[0].shape[1:]))
        return slots.index_copy_(0, ctx.plan.scatter, grads[0]), None


_running: ContextVar[Plan | None] = ContextVar("dadeum_packed_plan", default=None)


@contextlib.contextmanager
def running(plan: Plan | None) -> Iterator[None]:
    """While a packed row goes forward: the mask function makes no mask, and a layer that gets no plan is refused."""
    token = _running.set(plan)
    try:
        yield
    finally:
        _running.reset(token)


def _refuse(found: str, korean: str) -> ModelError:
    return ModelError(
        say(
            f"packed attention: found {found}, expected plain causal attention; set data.packing to false",
            f"묶음 어텐션: {korean} 때문에 쓸 수 없습니다. data.packing을 false로 하세요",
        )
    )


def _check(module: torch.nn.Module, is_causal: bool | None, others: dict[str, Any]) -> None:
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    if not causal:
        raise _refuse("attention that is not causal", "인과적이지 않은 어텐션")
    for name, value in others.items():
        if value is not None and value is not False and name not in HARMLESS:
            raise _refuse(f"the unknown argument '{name}'", f"모르는 인자 '{name}'")


def _repeat(rows_TKD: torch.Tensor, heads: int) -> torch.Tensor:
    """Key or value heads repeated to `heads`."""
    times = heads // rows_TKD.shape[1]
    return rows_TKD if times == 1 else rows_TKD.repeat_interleave(times, dim=1)


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    sliding_window: int | None = None,
    packed_plan: Plan | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention function of transformers: `query` (1,H,T,D), `key`, `value` (1,K,T,D) to (1,T,H,D)."""
    if packed_plan is None:
        if _running.get() is not None:
            raise _refuse("a layer that the plan does not reach", "계획이 닿지 않는 층")
        if is_causal is not None:
            others["is_causal"] = is_causal
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            dropout=dropout,
            scaling=scaling,
            sliding_window=sliding_window,
            **others,
        )
        return found
    _check(module, is_causal, others)
    window = int(attention_mask) if attention_mask is not None else None
    if window is not None and sliding_window is not None and sliding_window != window:
        raise _refuse(f"windows of {window} and {sliding_window}", f"서로 다른 창 {window}, {sliding_window}")
    return _grouped(query, key, value, packed_plan, dropout, scaling, window or sliding_window), None


def _grouped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    plan: Plan,
    dropout: float,
    scaling: float | None,
    window: int | None,
) -> torch.Tensor:
    tokens = plan.scatter.shape[0]
    if query.shape[0] != 1 or not query.shape[2] == key.shape[2] == tokens:
        raise _refuse(f"queries {tuple(query.shape)} and keys {tuple(key.shape)}", "길이가 다른 질의와 키")
    heads = query.shape[1]
    q_SHD, k_SHD, v_SHD = (
        _Gather.apply(_repeat(part[0].transpose(0, 1), heads), plan)  # type: ignore[no-untyped-call]
        for part in (query, key, value)
    )
    outputs = []
    for group in plan.groups:
        cut = slice(group.start, group.start + group.documents * group.length)
        q, k, v = (
            part[cut].view(group.documents, group.length, heads, part.shape[-1]).transpose(1, 2)
            for part in (q_SHD, k_SHD, v_SHD)
        )
        mask = plan.window(group.length, window) if window is not None and group.length > window else None
        out_nHLD = scaled_dot_product_attention(
            q, k, v, attn_mask=mask, dropout_p=dropout, scale=scaling, is_causal=mask is None
        )
        outputs.append(out_nHLD.transpose(1, 2).reshape(-1, heads, out_nHLD.shape[-1]))
    slots_SHD = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
    rows_THD: torch.Tensor = _Scatter.apply(slots_SHD, plan)  # type: ignore[no-untyped-call]
    return rows_THD[None]


def packed_mask(
    *args: Any,
    mask_function: Callable[..., torch.Tensor],
    local_size: int | None = None,
    use_vmap: bool = False,
    **others: Any,
) -> torch.Tensor | None:
    """Mask function of transformers: sdpa's outside packed rows.

    In a packed row: None for plain causal attention; for a sliding window that some document is longer than, a 0-d
    tensor with its size, read back by `packed_attention`. Any other pattern is refused.
    """
    plan = _running.get()
    if plan is None:
        mask: torch.Tensor | None = sdpa_mask(
            *args, mask_function=mask_function, local_size=local_size, use_vmap=use_vmap, **others
        )
        return mask
    if use_vmap:
        raise _refuse("a mask of the model's own", "모델 고유의 마스크")
    first, length = plan.longest
    window = local_size if local_size is not None and local_size < length else None
    # The longest document is asked: what may its first token past the window, and its last token, look at?
    zero, device = torch.tensor(0), plan.gather.device
    for place in {length - 1, window if window is not None else length - 1}:
        seen = mask_function(
            zero, zero, torch.tensor(first + place, device=device), torch.arange(first, first + length, device=device)
        )
        back = place - torch.arange(length, device=device)
        if not torch.equal(seen, (back >= 0) & (back < (window or length))):
            raise _refuse("a mask that is neither causal nor a sliding window", "인과도 이동 창도 아닌 마스크")
    return None if window is None else torch.tensor(window)


AttentionInterface.register(NAME, packed_attention)
AttentionMaskInterface.register(NAME, packed_mask)
