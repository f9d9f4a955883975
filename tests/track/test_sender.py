"""The sender: everything once, by step, over failures, resumes and ends of every kind."""

import json
import os
import time
from pathlib import Path

import pytest

from dadeum.core.artifact import read_json
from dadeum.core.lock import LOCK
from dadeum.track import sender
from dadeum.track.position import Position, read_position, unsent
from dadeum.track.sender import Late, Sender, Starter, deadline, flattened, told_of
from tests.track.support import RUN, Gone, There, Tracker, begin, lines, make_evidence, tracker, write_lines

__all__ = ["tracker"]


def go(evidence: Path, starter: object = None) -> int:
    position = read_position(evidence, "tensorboard") or begin(evidence)
    return Sender(evidence, position, starter or Gone()).run()  # type: ignore[arg-type]


def noted(evidence: Path) -> Position:
    found = read_position(evidence, "tensorboard")
    assert found is not None
    return found


def test_everything_is_told_once_and_noted(tmp_path: Path, tracker: Tracker) -> None:
    evidence = make_evidence(tmp_path, lines(*range(1, 8)))
    assert go(evidence) == 0
    assert tracker.steps("loss") == [1, 2, 3, 4, 5, 6, 7] and tracker.steps("validation_loss") == [3, 6]
    assert [p.values["evaluation/tuned/rougeL"] for p in tracker.points if "evaluation/tuned/rougeL" in p.values] == [
        0.25
    ]
    assert tracker.points[0].time == 1001.0 and set(tracker.points[0].values) == {"epoch", "loss"}
    assert tracker.params == {"name": "tiny", "train.seed": "1", "train.betas": "[0.9, 0.99]"}
    assert sorted(tracker.files) == ["config.yaml", "evaluation/comparison.json", "training_stats.json"]
    assert tracker.status == "finished" and tracker.tags["version.torch"] == "2.x"
    assert tracker.ended == (evidence / "manifest.json").stat().st_mtime  # when the run ended, not when that was sent
    assert unsent(evidence, noted(evidence)) == (0, 0) and noted(evidence).status == "finished"


def test_it_follows_while_the_run_goes_on(tmp_path: Path, tracker: Tracker) -> None:
    evidence = make_evidence(tmp_path, lines(1, 2), status="started")

    class Running(There):
        def wait(self, seconds: float) -> bool:
            if seconds and self.left > 1:
                step = tracker.steps("loss")[-1] + 1
                write_lines(evidence, lines(step), mode="a")
                assert "evaluation/comparison.json" not in tracker.files  # files of a run under way may still change
            return super().wait(seconds)

    assert go(evidence, Running(9)) == 0
    assert tracker.steps("loss") == list(range(1, 7)) and tracker.opened == 1
    assert tracker.status == "waiting" and "training_stats.json" in tracker.files


def test_a_resumed_run_writes_lines_again_that_are_not_sent_twice(tmp_path: Path, tracker: Tracker) -> None:
    evidence = make_evidence(tmp_path, lines(*range(1, 8)), status="stopped")
    assert go(evidence) == 0 and tracker.status == "killed"
    write_lines(evidence, lines(1, 2, 3, 4))  # the checkpoint knows four steps
    assert go(evidence) == 0
    write_lines(evidence, lines(*range(5, 11)), mode="a")
    assert go(evidence) == 0
    assert tracker.steps("loss") == list(range(1, 11)) and tracker.steps("validation_loss") == [3, 6, 9]


def test_the_file_is_written_anew_under_a_sender_that_follows(tmp_path: Path, tracker: Tracker) -> None:
    evidence = make_evidence(tmp_path, lines(*range(1, 8)), status="started")
    starter = There(3)
    one = Sender(evidence, begin(evidence), starter)  # type: ignore[arg-type]
    one.update(False)
    other = evidence / "new"
    other.write_text("".join(json.dumps(line) + "\n" for line in lines(*range(1, 10))), encoding="utf-8")
    other.replace(evidence / "metrics.jsonl")
    one.update(False)
    assert tracker.steps("loss") == list(range(1, 10))


@pytest.mark.parametrize("lasting", [True, False])
@pytest.mark.parametrize("call", range(1, 9))
def test_a_call_that_fails_is_made_again_and_nothing_is_there_twice(
    call: int, lasting: bool, tmp_path: Path, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dadeum.track.position.AT_ONCE", 3)
    tracker.lasting, tracker.fails = lasting, {call}
    evidence = make_evidence(tmp_path, lines(1, 2, 3, 4))
    assert go(evidence) == 0
    assert tracker.steps("loss") == [1, 2, 3, 4] and tracker.steps("validation_loss") == [3]
    assert tracker.status == "finished" and noted(evidence).error == ""
    assert set(tracker.files) == {"config.yaml", "evaluation/comparison.json", "training_stats.json"}


def test_it_gives_up_some_time_after_the_end_and_the_next_one_goes_on(tmp_path: Path, tracker: Tracker) -> None:
    evidence = make_evidence(tmp_path, lines(1, 2, 3, 4))
    tracker.fails = set(range(4, 100))
    assert go(evidence) == sender.UNFINISHED
    left = noted(evidence)
    assert left.training == 4 and left.status == "running" and "canary" not in left.error and "<redacted>" in left.error
    assert unsent(evidence, left)[0] == 0 and unsent(evidence, left)[1] > 0
    tracker.fails = set()
    assert go(evidence) == 0 and tracker.steps("loss") == [1, 2, 3, 4] and tracker.status == "finished"


def test_a_tracker_that_forgot_the_run_is_told_all_of_it(tmp_path: Path, tracker: Tracker) -> None:
    evidence = make_evidence(tmp_path, lines(1, 2))
    assert go(evidence) == 0
    position = noted(evidence)
    position.memory = {"run": "of a database that was deleted"}
    position.write(evidence)
    assert go(evidence) == 0
    assert tracker.steps("loss") == [1, 2, 1, 2] and tracker.files.count("config.yaml") == 2


@pytest.mark.parametrize(
    ("said", "lock", "status"),
    [
        ("finished", None, "finished"), ("failed", None, "failed"), ("stopped", None, "killed"), ("started", None, "waiting"),
        ("started", {"pid": 2**22 + 1, "started": "1"}, "killed"), ("started", {"pid": os.getpid()}, "waiting"),
    ],
)  # fmt: skip
def test_how_the_run_stands(
    said: str, lock: dict[str, object] | None, status: str, tmp_path: Path, tracker: Tracker
) -> None:
    import socket

    evidence = make_evidence(tmp_path, lines(1), status=said)
    if lock is not None:  # left by a killed process, or held by a living one
        (evidence / LOCK).write_text(json.dumps({"host": socket.gethostname(), **lock}), encoding="utf-8")
    assert go(evidence) == 0 and tracker.status == status


def test_damaged_lines_and_one_that_is_being_written_are_left(tmp_path: Path, tracker: Tracker) -> None:
    evidence = make_evidence(tmp_path, lines(1, 2))
    with (evidence / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('nonsense\n[1]\n{"step": "3"}\n{"step": 3, "loss": 0.1, "time": 1}\n{"step": 4, "lo')
    assert go(evidence) == 0 and tracker.steps("loss") == [1, 2, 3]


def test_what_is_told_of_a_run(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, [])
    told = told_of(evidence)
    assert (told.workspace, told.experiment, told.run) == (tmp_path, "tiny", RUN)
    assert (
        told.tags["dadeum.fingerprint"] == "f" * 64
        and told.identity != told_of(make_evidence(tmp_path / "b", [])).identity
    )
    assert time.strftime("%Y%m%d-%H%M%S", time.localtime(told.started)) == RUN[:15]


def test_settings_by_their_keys() -> None:
    found = flattened({"a": {"b": [1, 2], "c": None}, "d": [{"e": "x"}, {"e": True}], "f": {}, "g": 0.1})
    assert found == {"a.b": "[1, 2]", "a.c": "null", "d.0.e": "x", "d.1.e": "true", "f": "{}", "g": "0.1"}


def test_a_call_that_never_comes_back_is_left() -> None:
    stuck, _ = os.pipe()
    with pytest.raises(Late), deadline(0.05):
        os.read(stuck, 1)
    with deadline(5):
        assert True  # and one that does is not


def test_the_starter_is_gone_when_its_end_of_the_pipe_is_closed() -> None:
    ours, theirs = os.pipe()
    starter = Starter(ours)
    assert not starter.wait(0)
    os.close(theirs)
    assert starter.wait(30) and starter.wait(0)
    os.close(ours)


def test_no_secret_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary-0123456789")
    evidence = make_evidence(tmp_path, [])
    position = begin(evidence)
    position.error, position.memory = "no canary-0123456789 here", {"run": "canary-0123456789"}
    position.write(evidence)
    assert "canary" not in json.dumps(read_json(evidence / "track/tensorboard.json"))
