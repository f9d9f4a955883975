"""C15: through the command line too, nothing of the user's is removed or written over, whatever `output_dir` points to."""

from pathlib import Path

import pytest

from tests.run.lab import NAME, cli, files_below, fine, runs_of


@pytest.fixture
def home(ran: Path) -> Path:
    folder = ran.parent / "home"
    (folder / "사진").mkdir(parents=True)
    (folder / "사진" / "가족.jpg").write_bytes(b"1")
    return folder


@pytest.mark.parametrize("place", ["link", "home", "home/사진", ".", "checkpoints", "rows.csv", "data"])
def test_no_run_harms_it(ran: Path, home: Path, place: str) -> None:
    (ran / "link").symlink_to(home)
    out = {"link": ran / "link", "home": home, "home/사진": home / "사진"}.get(place, ran / place)
    before, kept = files_below(home), files_below(ran)
    said = cli(ran, "run", NAME, f"output_dir={out}")
    assert said.code == 2 and len(said.errors) == 1 and "Traceback" not in said.err, said
    assert files_below(home) == before and (ran / "link").is_symlink()
    now = files_below(ran)
    assert all(now[name] == text for name, text in kept.items() if not name.startswith("experiments/"))


def test_a_link_among_the_runs_is_not_followed(ran: Path, home: Path) -> None:
    """`merged` is a link to somebody's folder: the export refuses, and leaves it alone."""
    import shutil

    merged = runs_of(ran)[0].checkpoints / "merged"
    shutil.rmtree(merged)
    merged.symlink_to(home)
    before = files_below(home)
    said = cli(ran, "run", NAME)
    assert said.code == 2 and len(said.errors) == 1 and "merged" in said.errors[0]
    assert files_below(home) == before and merged.is_symlink()


def test_checkpoints_of_others_are_not_rotated(written: Path) -> None:
    """Only folders that a manifest says are ours are deleted when there are too many."""
    foreign = written / "checkpoints" / NAME / "thesis" / "step-000001"
    foreign.mkdir(parents=True)
    (foreign / "notes.txt").write_text("years of work", encoding="utf-8")
    fine(written, "train", NAME, "train.save_steps=1", "train.save_total_limit=1")
    assert (foreign / "notes.txt").is_file()
    steps = [f.name for f in runs_of(written)[0].checkpoints.glob("step-*")]
    assert steps == ["step-000006"]
