"""B30: exit code, the run's record and the screen say the same of every failure."""

from pathlib import Path

import pytest

from dadeum.core.errors import HubError, Interrupted, TrainError
from tests.run.lab import NAME, broken_at, cli, fine, make_workspace, runs_of


@pytest.fixture
def prepared(done: Path, written: Path) -> Path:
    """Data and base scores are there; the training is to come."""
    fine(written, "eval", NAME, "--model", "base")
    return written


POINTS = ["train.step", "train.micro_step", "save.start", "final.start", "export.written"]
ERRORS = [
    (RuntimeError("boom"), 1, "failed"),
    (OSError(28, "No space left on device", "file"), 2, "failed"),
    (TrainError("it cannot go on"), 2, "failed"),
    (Interrupted("told to stop", 15), 143, "stopped"),
    (KeyboardInterrupt(), 130, "stopped"),
]


# Every error at one point, every point with another error; the others in the proof.
@pytest.mark.parametrize(
    ("point", "error", "code", "status"),
    [
        pytest.param(point, *error, marks=() if number == kind or point == "train.step" else pytest.mark.slow)
        for number, point in enumerate(POINTS)
        for kind, error in enumerate(ERRORS)
    ],
)
def test_a_failure_is_none_of_the_successes(
    prepared: Path, monkeypatch: pytest.MonkeyPatch, point: str, error: BaseException, code: int, status: str
) -> None:
    broken_at(monkeypatch, point, 1, error)
    said = cli(prepared, "run", NAME)
    assert said.code == code and said.errors and "✗" in said.out
    record = runs_of(prepared)[0].record()
    assert record["status"] == status and record["reason"]
    assert "export" not in record["stages"]
    assert ("Traceback" in said.err) == (code == 1)


@pytest.mark.parametrize(("error", "code"), [(RuntimeError("boom"), 1), (HubError("it is down"), 2)])
def test_before_a_run_there_is_no_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    root = make_workspace(tmp_path / "lab")
    broken_at(monkeypatch, "format.written", 1, error)
    said = cli(root, "run", NAME)
    assert said.code == code and said.errors and runs_of(root) == []


def test_success_is_success(done: Path) -> None:
    assert fine(done, "run", NAME).code == 0 and runs_of(done)[0].record()["status"] == "finished"


def test_training_that_diverges_fails(prepared: Path) -> None:
    said = cli(prepared, "train", NAME, "train.learning_rate=1.0e+30", "train.max_grad_norm=0", "adapter=full")
    assert said.code == 2 and len(said.errors) == 1, said
    (run,) = [run for run in runs_of(prepared) if run.record()["status"] != "started"]
    assert run.record()["status"] == "failed" and not run.final.exists()
