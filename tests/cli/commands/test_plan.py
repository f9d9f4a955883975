"""`dadeum plan`."""

from pathlib import Path

from tests.run.lab import NAME, files_below, fine


def test_without_data_nothing_runs(written: Path) -> None:
    before = files_below(written)
    said = fine(written, "plan", NAME, "--no-data").out
    assert said.count("will run") == 8 and said.count("not made yet") == 8
    assert "leave --no-data out" in said and files_below(written) == before


def test_the_data_stages_run_for_it(written: Path) -> None:
    said = fine(written, "plan", NAME).out
    assert "▶ format" in said and "optimizer steps" in said and "parameters" in said and "disk" in said
    assert said.count("will run") == 6
    assert {f.name for f in written.iterdir()} >= {"data", "experiments"} and not (written / "checkpoints").exists()
    assert "▶" not in fine(written, "plan", NAME).out


def test_why_is_told(done: Path) -> None:
    said = fine(done, "plan", NAME, "--no-data", "train.learning_rate=0.5").out
    assert "changed: train.learning_rate" in said and said.count("fresh") == 4
    assert "fresh" in said and "will run" not in fine(done, "plan", NAME).out


def test_with_underscores_and_probe(done: Path) -> None:
    assert "time to train" not in fine(done, "plan", NAME, "--no_data").out
    assert "time to train" in fine(done, "plan", NAME, "--no_data", "--probe").out


def test_it_tells_the_mixture(written: Path) -> None:
    said = fine(written, "plan", NAME, "data.sources=[{type: csv, path: rows.csv, rows: 30}]")
    assert "rows.csv 30 of 60 rows (100%)" in said.out and "not drawn" not in said.out + said.err
