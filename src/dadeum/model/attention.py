"""Packed attention: the documents of one row, each seeing only itself, without a T x T mask.

`dadeum_packed` is registered beside transformers' own attention functions. Given a `Plan` it gathers the row into
padded groups of documents of like length, runs one causal scaled_dot_product_attention a group, and scatters the result
back. Without a plan (generation, padded evaluation) it is transformers' sdpa. Capped scores (Gemma 2), which sdpa does
not know, are computed by hand. What it does not know it refuses.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.model.layout import Gather, Plan, Scatter

NAME = "dadeum_packed"
# Passed down to attention functions without a bearing on what they compute.
HARMLESS = frozenset(
    {"position_ids", "position_embeddings", "cache_position", "use_cache", "num_items_in_batch", "return_dict",
     "output_hidden_states", "output_router_logits", "layer_idx"}
)  # fmt: skip


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
    softcap: float | None = None,
    packed_plan: Plan | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention function of transformers: `query` (B,H,T,D), `key`, `value` (B,K,T,D) to (B,T,H,D); packed rows are B=1.

    Raises ModelError for whatever would change the result and is not known here.
    """
    if packed_plan is not None:
        _check(module, is_causal, others)
        window = _window(packed_plan, attention_mask, sliding_window)
        return _grouped(query, key, value, packed_plan, dropout, scaling, window, softcap), None
    if _running.get() is not None:
        raise _refuse("a layer that the plan does not reach", "계획이 닿지 않는 층")
    if softcap is not None:
        _check(module, is_causal, others)
        return _capped(query, key, value, attention_mask, dropout, scaling, softcap).transpose(1, 2).contiguous(), None
    found: tuple[torch.Tensor, None] = sdpa_attention_forward(
        module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal, **others
    )
    return found


def _window(plan: Plan, mask: torch.Tensor | None, told: int | None) -> int | None:
    """The sliding window: what the mask function found; a layer that says otherwise is refused."""
    window = int(mask) if mask is not None else None
    if told is not None and told < plan.longest[1] and told != window:
        raise _refuse(f"a window of {told} where the mask has {window}", f"마스크({window})와 다른 창 {told}")
    return window


def _grouped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    plan: Plan,
    dropout: float,
    scaling: float | None,
    window: int | None,
    softcap: float | None,
) -> torch.Tensor:
    """Attention of a packed row, (1,H,T,D) to (1,T,H,D)."""
    if query.shape[0] != 1 or not query.shape[2] == key.shape[2] == plan.scatter.shape[0]:
        raise _refuse(f"queries {tuple(query.shape)} and keys {tuple(key.shape)}", "길이가 다른 질의와 키")
    q_SHD, k_SKD, v_SKD = (
        Gather.apply(part[0].transpose(0, 1), plan)  # type: ignore[no-untyped-call]
        for part in (query, key, value)
    )
    # Kernels repeat key heads on the fly only without a mask and with heads of one size.
    shares = query.shape[1] // key.shape[1]
    native = window is None and softcap is None and key.shape[-1] == value.shape[-1] <= 256
    if shares > 1 and not native:
        k_SKD, v_SKD = (part.repeat_interleave(shares, dim=1) for part in (k_SKD, v_SKD))
    outputs = []
    for group in plan.groups:
        cut = slice(group.start, group.start + group.documents * group.length)
        q, k, v = (
            part[cut].unflatten(0, (group.documents, group.length)).transpose(1, 2) for part in (q_SHD, k_SKD, v_SKD)
        )
        mask = plan.window(group.length, window) if window is not None and group.length > window else None
        if softcap is not None:
            out_nHLD = _capped(q, k, v, mask, dropout, scaling, softcap)
        else:
            out_nHLD = _sdpa(q, k, v, mask, dropout, scaling, gqa=native and shares > 1)
        outputs.append(out_nHLD.transpose(1, 2).flatten(0, 1))
    slots_SHD = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
    rows_THD: torch.Tensor = Scatter.apply(slots_SHD, plan)  # type: ignore[no-untyped-call]
    return rows_THD[None]


def _sdpa(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    dropout: float,
    scaling: float | None,
    *,
    gqa: bool,
) -> torch.Tensor:
    """The library's attention, causal without a mask.

    On a CPU in float32, whatever autocast says: the bfloat16 kernel there takes up to four times as long on short rows.
    """
    if query.device.type != "cpu":
        return scaled_dot_product_attention(
            query, key, value, mask, dropout, is_causal=mask is None, scale=scaling, enable_gqa=gqa
        )
    with torch.autocast("cpu", enabled=False):
        q, k, v = (part.to(torch.promote_types(part.dtype, torch.float32)) for part in (query, key, value))
        wide = scaled_dot_product_attention(
            q, k, v, mask, dropout, is_causal=mask is None, scale=scaling, enable_gqa=gqa
        )
    return wide.to(value.dtype)


def _capped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    dropout: float,
    scaling: float | None,
    softcap: float,
) -> torch.Tensor:
    """Attention whose scores are held within `softcap` by tanh (Gemma 2, arXiv 2408.00118); causal without a mask."""
    shares = query.shape[1] // key.shape[1]
    if shares > 1:
        key, value = (part.repeat_interleave(shares, dim=1) for part in (key, value))
    scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    scores = torch.tanh(scores / softcap) * softcap
    if mask is None and query.shape[-2] > 1:
        mask = scores.new_ones(scores.shape[-2:], dtype=torch.bool).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    shares_of_values = scores.softmax(-1, dtype=torch.promote_types(scores.dtype, torch.float32)).to(query.dtype)
    return torch.dropout(shares_of_values, dropout, train=dropout > 0) @ value


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
