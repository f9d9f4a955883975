"""How fast a model answers: tokens a second, time to the first token, memory."""

import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import torch

from dadeum.core.progress import Reporter
from dadeum.generate.engine import Engine, Messages


def bench(
    engine: Engine,
    conversations: Sequence[Messages],
    *,
    max_new_tokens: int = 128,
    batch_size: int = 8,
    reporter: Reporter,
) -> dict[str, Any]:
    """Measure answers one at a time (streamed) and in batches, after one that is not counted.

    Returns seconds and tokens per second (new tokens only); memory is the peak of the device, or of the process on a CPU.
    """
    if engine.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(engine.device)
    reporter.start(engine.name, 2 * len(conversations), "answers")
    for _ in engine.stream(conversations[0], max_new_tokens=min(8, max_new_tokens)):
        pass
    firsts, single_tokens, single_seconds = [], 0, 0.0
    for done, messages in enumerate(conversations, 1):
        stream = engine.stream(messages, max_new_tokens=max_new_tokens)
        for _ in stream:
            pass
        if stream.reply is None or stream.first_token is None:
            raise RuntimeError("the model made no token")
        firsts.append(stream.first_token)
        single_tokens += stream.reply.new_tokens
        single_seconds += stream.reply.seconds
        reporter.advance(done, tokens_per_second=round(single_tokens / single_seconds, 1))
    begun = time.perf_counter()
    replies = engine.replies(conversations, max_new_tokens=max_new_tokens, batch_size=batch_size)
    batch_seconds = time.perf_counter() - begun
    reporter.advance(2 * len(conversations))
    return {
        "model": engine.name,
        "device": str(engine.device),
        "dtype": str(engine.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "prompts": len(conversations),
        "prompt_tokens": sum(r.prompt_tokens for r in replies),
        "new_tokens": single_tokens,
        "tokens_per_second": single_tokens / single_seconds,
        "seconds_to_first_token": statistics.median(firsts),
        "batch_size": batch_size,
        "batch_tokens_per_second": sum(r.new_tokens for r in replies) / batch_seconds,
        "peak_memory_bytes": peak_memory(engine.device),
    }


def peak_memory(device: torch.device) -> int:
    """Peak bytes: of the device's allocations on CUDA, else of the whole process; 0 where the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
