"""The log file."""

from pathlib import Path

import pytest

from dadeum.core.progress import Silent
from dadeum.train.loop import Loop
from dadeum.train.step import train
from tests.train.support import make_job


def test_the_log_tells_what_happened(tmp_path: Path, formatted: Path) -> None:
    job = make_job(tmp_path, formatted, save_steps=2.0, logging_steps=2)
    train(job, Silent())
    (log,) = job.evidence.glob("training_????????_??????.log")
    text = log.read_text(encoding="utf-8")
    for words in (
        "versions: dadeum",
        "seed 42",
        "training starts: 4 steps of 8 samples",
        "step 2: loss",
        "saved",
        "done",
    ):
        assert words in text
    assert "step 1: loss" not in text


def test_a_fault_of_ours_leaves_its_traceback(tmp_path: Path, formatted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Loop, *args: object) -> float:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(Loop, "_loss", broken)
    job = make_job(tmp_path, formatted)
    with pytest.raises(ZeroDivisionError):
        train(job, Silent())
    text = next(job.evidence.glob("training_*.log")).read_text(encoding="utf-8")
    assert "Traceback" in text and "a fault of ours" in text and not job.final.exists()
