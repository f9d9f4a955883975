"""The memory of the weights is told before the first step."""

from dataclasses import replace
from pathlib import Path

import pytest

from dadeum.config.model import ModelSettings, QuantizationSettings
from dadeum.train.memory import sized, tell_memory
from tests.model.tiny import tiny
from tests.train.support import Told, make_job


def test_how_much_and_how_it_is_held(formatted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, told, model = make_job(tmp_path, formatted), Told(), tiny("llama")
    size = sum(p.numel() * 4 for p in model.parameters())
    tell_memory(job, model, told)
    assert told.notes == [f"the weights take {size / (1 << 20):.1f} MiB of memory"]
    small = ModelSettings(name_or_path="x", quantization=QuantizationSettings())
    tell_memory(replace(job, model=small), model, told)
    assert told.notes[1].endswith(", the base in 4 bits (nf4 + double quantization)")
    monkeypatch.setenv("DADEUM_LANG", "ko")
    tell_memory(replace(job, model=small), model, told)
    assert "4비트" in told.notes[2]


def test_sizes_for_people() -> None:
    assert (sized(3 << 19), sized(5 << 29)) == ("1.5 MiB", "2.50 GiB")
