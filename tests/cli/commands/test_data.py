"""`dadeum data download|preprocess|format`."""

from pathlib import Path

from tests.run.lab import NAME, cli, fine, stale


def test_one_stage_after_the_other(written: Path) -> None:
    assert "✓ download" in fine(written, "data", "download", NAME).out and not (written / "data").exists()
    said = fine(written, "data", "preprocess", NAME).out
    assert "▶ preprocess" in said and "▶ format" not in said and stale(written)[0] == "format"
    (folder,) = (written / "data" / "processed").iterdir()
    assert (folder / "processed_conversations.json").is_file() and "60" in said
    said = fine(written, "data", "format", NAME).out
    assert "▶ preprocess" not in said and "▶ format" in said
    assert stale(written)[0] == "initialise"


def test_an_unknown_stage(written: Path) -> None:
    said = cli(written, "data", "frmat", NAME)
    assert said.code == 2 and len(said.errors) == 1 and "frmat" in said.err
