"""Checkpoints are written when they are due, once, and the oldest go."""

from pathlib import Path

from dadeum.core.progress import Silent
from dadeum.train.step import train
from tests.train.support import make_job


def test_checkpoints_stand_where_the_settings_say_and_no_more_than_the_limit(tmp_path: Path, formatted: Path) -> None:
    job = make_job(tmp_path, formatted, max_steps=6, save_steps=2.0, save_total_limit=2)
    train(job, Silent())
    left = sorted(f.name for f in job.checkpoints.glob("step-*"))
    assert "step-000006" in left
    assert len(left) <= 3  # two, and the best where it is neither of them
    assert all((job.checkpoints / name / "manifest.json").is_file() for name in left)
    assert "step-000003" not in left
