"""Lines of metrics.jsonl, also over a kill."""

import json
from pathlib import Path

import pytest

from dadeum.core.progress import Silent
from dadeum.train.step import train
from tests.train import children
from tests.train.support import make_job, metrics


def test_a_line_is_the_mean_of_its_interval(tmp_path: Path, formatted: Path) -> None:
    jobs = [make_job(tmp_path, formatted, run=str(n), logging_steps=n, max_steps=7) for n in (1, 3)]
    for job in jobs:
        train(job, Silent())
    each, some = ([line for line in metrics(job) if "loss" in line] for job in jobs)
    assert [line["step"] for line in some] == [3, 6, 7]
    losses = [line["loss"] for line in each]
    assert [line["loss"] for line in some] == pytest.approx([sum(losses[:3]) / 3, sum(losses[3:6]) / 3, losses[6]])
    for key in ("learning_rate", "grad_norm", "tokens", "epoch"):
        assert [line[key] for line in some] == [each[s - 1][key] for s in (3, 6, 7)]
    assert all(line["memory_bytes"] > 10**7 and line["tokens_per_second"] > 0 for line in some)


def test_an_interval_goes_on_after_a_kill_and_a_cut_line_is_forgotten(tmp_path: Path, formatted: Path) -> None:
    """No step stands twice; the mean of the interval that was under way is that of the whole run."""
    changes = {"logging_steps": 3, "max_steps": 8, "save_steps": 2.0, "eval_steps": 2.0}
    whole, job = (make_job(tmp_path, formatted, run=name, **changes) for name in ("whole", "killed"))
    train(whole, Silent())
    children.run(job, tmp_path / "said.json", "train.step:6")
    path = job.evidence / "metrics.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write('{"step": 5, "epoch": 1.6, "lo')
    train(job, Silent())
    columns = ("step", "epoch", "loss", "validation_loss", "grad_norm", "tokens")
    assert [[line.get(c) for c in columns] for line in metrics(job)] == [
        [line.get(c) for c in columns] for line in metrics(whole)
    ]
    assert all(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def test_a_fresh_run_begins_a_fresh_file(tmp_path: Path, formatted: Path) -> None:
    job = make_job(tmp_path, formatted)
    job.evidence.mkdir(parents=True)
    (job.evidence / "metrics.jsonl").write_text('{"step": 1, "loss": 9}\n', encoding="utf-8")
    train(job, Silent())
    assert [line["step"] for line in metrics(job) if "loss" in line] == [1, 2, 3, 4]
