"""How many samples at once: `per_device_train_batch_size: auto`.

A real forward and backward pass on the longest samples, halved until it fits. The total batch stays, accumulation
follows, so the choice moves no result; it is stored in checkpoints all the same, since rounding depends on it.
"""

from typing import Any

import numpy as np
import torch

from dadeum.core.errors import TrainError
from dadeum.core.language import say
from dadeum.train import rng
from dadeum.train.loop import Loop
from dadeum.train.weights import trained_parameters

# Beyond so many tokens a micro-batch is no faster on a CPU (measured: flat from some 300 on).
CPU_TOKENS = 1024
# Shares of the memory that may be planned for.
CPU_SHARE = 0.5
GPU_SHARE = 0.92
# Values of an activation that a layer keeps for the backward pass, in multiples of the hidden size, roughly.
KEPT_PER_LAYER = 24


def out_of_memory(error: BaseException) -> bool:
    """Whether this is memory that ran out; torch's CPU allocator says so in words only."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def given(size: int, rank_total: int) -> int:
    """The size that the user asked for. Raises TrainError where it exceeds the whole step."""
    if size <= rank_total:
        return size
    raise TrainError(
        say(
            f"train.per_device_train_batch_size: found {size}, but a step has only {rank_total} samples on each device; "
            f"use at most {rank_total}, or 'auto'",
            f"train.per_device_train_batch_size: {size}인데 한 단계에 장치마다 샘플이 {rank_total}개뿐입니다. "
            f"{rank_total} 이하나 'auto'를 쓰세요",
        )
    )


def too_large(where: str, size: int) -> TrainError:
    """The sentence of so many samples at once that do not fit."""
    if size == 1:
        return TrainError(
            say(
                f"{where}; lower data.max_length, set train.gradient_checkpointing to true, or take a smaller model",
                f"{where}. data.max_length를 줄이거나 train.gradient_checkpointing을 켜거나 더 작은 모델을 쓰세요",
            )
        )
    half = size // 2
    return TrainError(
        say(
            f"{where}; set train.per_device_train_batch_size to {half} (the result stays the same), or "
            "train.gradient_checkpointing to true",
            f"{where}. train.per_device_train_batch_size를 {half}(으)로 줄이거나(결과는 같습니다) "
            "train.gradient_checkpointing을 켜세요",
        )
    )


def require(loop: Loop, size: int, state_bytes: int) -> None:
    """Raises TrainError where the `size` longest samples do not fit together: before the first step, not at the one they come in."""
    lengths = np.asarray(loop.samples.lengths)
    longest = np.argsort(-lengths, kind="stable")[:size]
    if not loop.processes.greatest(float(not _fits(loop, longest, state_bytes))):
        return
    tokens = ", ".join(str(int(n)) for n in lengths[longest][:3]) + (", …" if size > 3 else "")
    where = say(
        f"the longest samples ({tokens} tokens), {size} at once, do not fit the memory",
        f"가장 긴 샘플 {size}개({tokens}토큰)가 한 번에 메모리에 들어가지 않습니다",
    )
    raise too_large(where, size)


def fitted(loop: Loop, rank_total: int, state_bytes: int) -> int:
    """The largest size that fits, by halves; `state_bytes` is what the optimizer will need besides.

    Raises TrainError where not even one sample fits. Weights, gradients and random states are as before.
    """
    lengths = np.sort(np.asarray(loop.samples.lengths))[::-1]
    size = min(rank_total, len(lengths))
    if loop.processes.device.type == "cpu":
        size = min(size, _cpu_limit(loop, lengths))
    longest = np.argsort(-np.asarray(loop.samples.lengths), kind="stable")
    while loop.processes.greatest(float(not _fits(loop, longest[:size], state_bytes))):
        if size == 1:
            where = say(
                f"not even one sample of {int(lengths[0])} tokens fits the memory",
                f"토큰 {int(lengths[0])}개인 샘플 하나도 메모리에 맞지 않습니다",
            )
            raise too_large(where, size)
        size //= 2
    return size


def _fits(loop: Loop, rows: np.ndarray, state_bytes: int) -> bool:
    device = loop.processes.device
    loop.model.train()
    try:
        with rng.unchanged():
            batch = loop.lay_out(rows, loop.samples)
            sums, _ = loop.compute(loop.module, batch)
            loss = torch.stack(list(sums.values())).sum()
            if not loss.requires_grad:
                loop.every_weight_has_a_gradient()
            loss.backward()  # type: ignore[no-untyped-call]
    except Exception as error:
        if not out_of_memory(error):
            raise
        return False
    finally:
        for _, parameter in trained_parameters(loop.module):
            parameter.grad = None
        if device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(device)
            torch.cuda.empty_cache()
    if device.type != "cuda":
        return True
    return peak + state_bytes <= GPU_SHARE * torch.cuda.get_device_properties(device).total_memory


def _cpu_limit(loop: Loop, lengths: np.ndarray) -> int:
    """By speed, and by an estimate of memory: a CPU gives no error when it is full, it swaps."""
    import psutil  # type: ignore[import-untyped]

    whole: Any = loop.module.config
    config = whole.get_text_config()
    hidden, layers = getattr(config, "hidden_size", 1024), getattr(config, "num_hidden_layers", 24)
    per_token = 4 * (3 * getattr(config, "vocab_size", 32000) + KEPT_PER_LAYER * layers * hidden)
    by_memory = int(CPU_SHARE * psutil.virtual_memory().available / per_token / lengths[0])
    by_speed = int(CPU_TOKENS / lengths.mean())
    return max(1, min(by_memory, by_speed))
