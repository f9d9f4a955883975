"""`dadeum track send` of one run."""

import json
import os
import socket
from pathlib import Path

from dadeum.core.lock import LOCK
from dadeum.track.position import Position, read_position
from dadeum.track.send import send_run
from tests.track.support import RUN, Said, lines, make_evidence


def test_what_is_missing_is_sent_and_then_nothing_is(tmp_path: Path) -> None:
    evidence, said = make_evidence(tmp_path, lines(1, 2, 3)), Said()
    assert send_run(evidence, said) == 0 and said.notes == [f"{RUN}: everything is sent"]  # it was to be sent nowhere
    Position({"type": "tensorboard"}, "tensorboard/").write(evidence)
    assert send_run(evidence, said) == 0 and len(said.notes) == 2
    assert read_position(evidence, "tensorboard").training == 3  # type: ignore[union-attr]


def test_a_tracker_that_is_not_there_is_told(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        evidence, said = make_evidence(tmp_path, lines(1, 2)), Said()
        Position({"type": "mlflow", "uri": address, "experiment": None}, address).write(evidence)
        assert send_run(evidence, said) == 1
    assert (
        len(said.warnings) == 1
        and f"mlflow ({address}) lacks 2 lines and 3 files: cannot be reached" in said.warnings[0]
    )


def test_a_run_that_is_being_made_sends_for_itself(tmp_path: Path) -> None:
    evidence, said = make_evidence(tmp_path, lines(1), status="started"), Said()
    Position({"type": "tensorboard"}, "tensorboard/").write(evidence)
    (evidence / LOCK).write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}), encoding="utf-8")
    assert send_run(evidence, said) == 0 and "is being made" in said.notes[0]
    assert not (evidence / "tensorboard").exists()
