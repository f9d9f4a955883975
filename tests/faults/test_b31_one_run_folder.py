"""B31: two trainings do not share a run's folder; the lock of a killed one is taken over."""

import os
import signal
import time
from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.core.progress import Silent
from dadeum.train.step import train
from tests.train import children
from tests.train.support import make_formatted, make_job


def test_the_second_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    formatted = make_formatted(tmp_path)
    job = make_job(tmp_path, formatted, max_steps=3)
    child = children.start(job, tmp_path / "said.json", {"DADEUM_TEST_HANG": "1"})
    limit = time.monotonic() + 600
    while not (tmp_path / "said.json.hangs").exists():
        assert time.monotonic() < limit
        time.sleep(0.01)
    before = sorted(f.name for f in job.evidence.iterdir())
    with pytest.raises(ArtifactError, match=f"process {child.pid}"):
        train(job, Silent())
    assert sorted(f.name for f in job.evidence.iterdir()) == before
    os.kill(child.pid or 0, signal.SIGKILL)
    children.wait([child])
    assert train(job, Silent()).stats["optimizer_steps"] == 3
