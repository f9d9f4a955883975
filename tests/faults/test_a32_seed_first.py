"""A32: the same seed gives the same adapter in two processes, before the first step and after the last; another does not."""

import re
from pathlib import Path

from tests.train import children
from tests.train.support import make_formatted, make_job, tensors


def _starts_with(job_evidence: Path) -> str:
    log = next(job_evidence.glob("training_*.log")).read_text(encoding="utf-8")
    return re.search(r"weights ([0-9a-f]{12})", log)[1]  # type: ignore[index]


def test_two_processes_agree(tmp_path: Path) -> None:
    formatted = make_formatted(tmp_path)
    adapter = {"type": "lora", "r": 4, "lora_dropout": 0.1}
    jobs = [
        make_job(tmp_path, formatted, run=name, seed=seed, adapter=adapter, max_steps=20, fingerprint=name)
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    assert children.wait([children.start(job, tmp_path / f"{i}.json") for i, job in enumerate(jobs)]) == [0, 0, 0]
    first, second, other = (_starts_with(job.evidence) for job in jobs)
    assert first == second != other
    a, b, c = (tensors(job.final, "adapter_model.safetensors") for job in jobs)
    assert all(a[name].equal(b[name]) for name in a)
    assert not all(a[name].equal(c[name]) for name in a)
    assert "seed 7" in next(jobs[0].evidence.glob("training_*.log")).read_text(encoding="utf-8")
