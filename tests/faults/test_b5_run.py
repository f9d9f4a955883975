"""B5: at the level of a run, other settings or rows are another run; what was begun is never mixed with them."""

from pathlib import Path

import pytest

from dadeum.core.artifact import read_json
from dadeum.run.execute import has_checkpoint
from tests.run.lab import NAME, broken_at, cli, fine, runs_of
from tests.run.test_stages import change_a_byte


@pytest.fixture
def cut(written: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with monkeypatch.context() as patched:
        broken_at(patched, "train.step", 4, KeyboardInterrupt())
        cli(written, "train", NAME)
    return written


@pytest.mark.parametrize("change", ["train.total_train_batch_size=4", "train.seed=7", "adapter.r=2", "rows"])
def test_another_run(cut: Path, change: str) -> None:
    if change == "rows":
        change_a_byte(cut / "rows.csv")
    said = fine(cut, "train", NAME, *([] if change == "rows" else [change]))
    assert "goes on" not in said.out
    begun = [run for run in runs_of(cut) if has_checkpoint(run)]
    made = [run for run in runs_of(cut) if run.final.is_dir()]
    assert len(begun) == 1 and len(made) == 1
    stats = read_json(made[0].evidence / "training_stats.json")
    assert stats["rows"] == 48 and stats["epochs"] == 1


def test_another_number_of_threads_is_refused_by_name(cut: Path) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        said = cli(cut, "train", NAME)
    finally:
        torch.set_num_threads(before)
    assert said.code == 2 and len(said.errors) == 1 and "threads" in said.errors[0]
    assert "goes on after step 2" in fine(cut, "train", NAME).out
