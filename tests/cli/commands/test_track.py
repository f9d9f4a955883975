"""`dadeum track`."""

from pathlib import Path

import pytest

from tests.run.lab import cli, fine
from tests.track.support import RUN, lines, make_evidence


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A workspace with a finished run that was to be sent to TensorBoard."""
    from dadeum.track.position import Position

    Position({"type": "tensorboard"}, "tensorboard/").write(make_evidence(tmp_path, lines(1, 2, 3)))
    return tmp_path


def test_status_send_status(lab: Path) -> None:
    assert "4 + 3" in fine(lab, "track", "status").out
    assert f"{RUN}: everything is sent" in fine(lab, "track", "send", "tiny").out
    said = fine(lab, "track", "status", RUN[:9]).out
    assert "0 + 0" in said and "finished" in said


def test_faults_are_sentences(lab: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    said = cli(lab, "track", "send", "tinny")
    assert said.code == 2 and said.errors == [
        "error: tinny: no such run or experiment; did you mean 'tiny'?; `dadeum runs list` shows them"
    ]
    (lab / "experiments/tiny" / RUN.replace("2026", "2025")).mkdir()
    said = cli(lab, "track", "send", "2025")
    assert said.code == 2 and said.errors == [
        "error: 2025: was not to be sent to a tracker (`track:` in the experiment)"
    ]
    assert cli(lab, "track", "ui").errors[0].startswith("error: mlruns/mlflow.db: no such file")
    empty = tmp_path_factory.mktemp("empty")
    assert "no run was to be sent" in fine(empty, "track", "status").out and fine(empty, "track", "send").out == ""


def test_what_is_still_missing_is_code_1(lab: Path) -> None:
    import socket

    from dadeum.track.position import Position, tracked_runs

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        Position({"type": "mlflow", "uri": address}, address).write(tracked_runs(lab)[0])
        said = cli(lab, "track", "send")
    assert said.code == 1 and f"mlflow ({address}) lacks 4 lines and 3 files: cannot be reached" in said.out.replace(
        "\n", " "
    )
    assert "warning" in fine(lab, "track", "status").out
