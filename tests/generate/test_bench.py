"""The numbers of `bench` are of what it ran."""

from pathlib import Path

import torch

from dadeum.core.progress import Silent
from dadeum.generate.bench import bench, peak_memory
from tests.generate.support import QUESTIONS, opened, save_small, user


def test_bench_counts_what_it_generated(tmp_path: Path) -> None:
    engine = opened(save_small(tmp_path / "model"), name="small")
    conversations = [user(q) for q in QUESTIONS[:3]]
    found = bench(engine, conversations, max_new_tokens=6, batch_size=2, reporter=Silent())
    replies = engine.replies(conversations, max_new_tokens=6)
    assert found["new_tokens"] == sum(r.new_tokens for r in replies)
    assert found["prompt_tokens"] == sum(r.prompt_tokens for r in replies)
    assert 0 < found["seconds_to_first_token"] < found["new_tokens"] / found["tokens_per_second"]
    assert found["batch_tokens_per_second"] > 0
    assert (found["model"], found["dtype"], found["device"]) == ("small", "float32", "cpu")
    assert found["peak_memory_bytes"] > 50_000_000


def test_memory_of_a_process_is_its_peak() -> None:
    before = peak_memory(torch.device("cpu"))
    torch.ones(60_000_000).sum()
    assert peak_memory(torch.device("cpu")) >= before
