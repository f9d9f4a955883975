"""Out of memory itself is in tests/faults/test_a34_auto_batch_size.py."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dadeum.core.progress import Silent
from dadeum.train import batch_size
from dadeum.train.loop import Loop
from dadeum.train.processes import Processes
from dadeum.train.step import prepare
from tests.train.support import make_job


def _loop(tmp_path: Path, formatted: Path) -> Loop:
    return prepare(make_job(tmp_path, formatted), Silent(), Processes(), {})


def test_the_probe_leaves_no_trace(tmp_path: Path, formatted: Path) -> None:
    loop = _loop(tmp_path, formatted)
    weights, states = loop.weights_sha256, torch.get_rng_state()
    assert batch_size.fitted(loop, 8, 0) == 8
    assert loop.weights_sha256 == weights and torch.equal(torch.get_rng_state(), states)
    assert all(p.grad is None for p in loop.module.parameters()) and not loop.optimizer.state_dict()["state"]


def test_the_probe_takes_the_longest_rows(tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, seen = _loop(tmp_path, formatted), []
    honest = Loop.lay_out
    monkeypatch.setattr(
        Loop, "lay_out", lambda self, rows, source, **k: seen.extend(rows) or honest(self, rows, source, **k)
    )
    batch_size.fitted(loop, 3, 0)
    assert sorted(loop.samples.lengths[seen]) == sorted(np.sort(loop.samples.lengths)[-3:])


def test_a_cpu_takes_no_more_than_it_is_fast_with(
    tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = _loop(tmp_path, formatted)
    mean = float(np.mean(loop.samples.lengths))
    monkeypatch.setattr(batch_size, "CPU_TOKENS", 4 * mean)
    assert batch_size.fitted(loop, 8, 0) == 4
    monkeypatch.setattr(batch_size, "CPU_SHARE", 1e-9)
    assert batch_size.fitted(loop, 8, 0) == 1


def test_words_of_an_allocator_count() -> None:
    assert batch_size.out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"))
    assert batch_size.out_of_memory(torch.OutOfMemoryError("CUDA"))
    assert not batch_size.out_of_memory(RuntimeError("size mismatch"))
