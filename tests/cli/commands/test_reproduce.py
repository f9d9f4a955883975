"""`dadeum reproduce RUN`: what is done stands in tests/run/test_reproduce.py; here its words."""

from pathlib import Path

from tests.run.lab import NAME, cli


def test_an_unknown_run_and_an_empty_workspace(done: Path, tmp_path: Path) -> None:
    said = cli(done, "reproduce", "tinny")
    assert said.code == 2 and f"did you mean '{NAME}'" in said.errors[0]
    assert "no run in this workspace yet" in cli(tmp_path, "reproduce").errors[0]
    assert cli(done, "reproduce", "--tolerance", "-1").code == 2
