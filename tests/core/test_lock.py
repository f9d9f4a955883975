"""dadeum.core.lock: one process at a time, and a dead one hinders nobody."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.core import lock
from dadeum.core.errors import ArtifactError
from dadeum.core.lock import LOCK, held, locked, unheld

HOLDER = """
import sys
from pathlib import Path
from dadeum.core.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
# Waits for the start, takes the lock, notes that it is inside and looks who else is.
RACER = """
import os, sys, time
from pathlib import Path
from dadeum.core.errors import ArtifactError
from dadeum.core.lock import locked
folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
try:
    with locked(folder):
        print("won", flush=True)
        sys.stdin.read()
except ArtifactError as error:
    print(error, flush=True)
"""


def start(program: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_held_and_given_back(tmp_path: Path) -> None:
    with locked(tmp_path / "run"):
        assert json.loads((tmp_path / "run" / LOCK).read_text(encoding="utf-8"))["pid"] == os.getpid()
        with (
            pytest.raises(ArtifactError, match=f"process {os.getpid()} on {socket.gethostname()}"),
            locked(tmp_path / "run"),
        ):
            pass
        assert (tmp_path / "run" / LOCK).is_file()
    assert list((tmp_path / "run").iterdir()) == []
    with pytest.raises(ValueError, match="inside"), locked(tmp_path / "run"):
        raise ValueError("inside")
    with locked(tmp_path / "run"):
        pass


def test_second_refuses_naming_the_first_and_takes_over_when_it_was_killed(tmp_path: Path) -> None:
    first = start(HOLDER, tmp_path)
    assert line(first) == "held"
    with pytest.raises(ArtifactError, match=f"in use by process {first.pid} on "), locked(tmp_path):
        pass
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert (tmp_path / LOCK).is_file()
    with locked(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text(encoding="utf-8"))["pid"] == os.getpid()


@pytest.mark.parametrize("left", [None, "stale", "", "{", "[]", '{"pid": "x"}', '{"pid": 99999999999999999999}'])
def test_of_eight_that_race_exactly_one_wins(tmp_path: Path, left: str | None) -> None:
    """With no lock, and with one left by a killed process or half-written: all find it stale at once."""
    if left == "stale":
        dead = start(HOLDER, tmp_path)
        assert line(dead) == "held"
        dead.kill()
        dead.communicate()
    elif left is not None:
        text = left.replace('"pid"', f'"host": "{socket.gethostname()}", "pid"')
        (tmp_path / LOCK).write_text(text, encoding="utf-8")
    racers = [start(RACER, tmp_path) for _ in range(8 if left in (None, "stale") else 2)]
    assert [line(r) for r in racers] == ["ready"] * len(racers)
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    said = [line(r) for r in racers]
    for racer in racers:
        racer.communicate()
    winners = [r.pid for r, text in zip(racers, said, strict=True) if text == "won"]
    assert len(winners) == 1
    assert all(f"process {winners[0]} on" in text for text in said if text != "won")
    assert not (tmp_path / LOCK).exists()


def test_two_that_find_it_stale_do_not_both_take_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second begins while the first stands between judging and taking: it must wait, and then be refused."""
    (tmp_path / LOCK).write_text(json.dumps({"pid": 2**22 + 1, "host": socket.gethostname()}), encoding="utf-8")
    racers: list[subprocess.Popen[str]] = []
    judge = lock._alive

    def judged(holder: dict[str, object]) -> bool:
        racer = start(RACER, tmp_path)
        racers.append(racer)
        assert line(racer) == "ready"
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            racer.wait(0.3)
        return judge(holder)

    monkeypatch.setattr(lock, "_alive", judged)
    with locked(tmp_path):
        monkeypatch.undo()
        assert f"in use by process {os.getpid()} on" in line(racers[0])
        racers[0].communicate()


def test_a_reused_process_number_is_another_process(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(
        json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "started": "1"}), encoding="utf-8"
    )
    with locked(tmp_path):
        pass


def test_another_machine_is_never_judged_dead(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text(json.dumps({"pid": 1, "host": "elsewhere", "started": "1"}), encoding="utf-8")
    with pytest.raises(ArtifactError, match=rf"process 1 on elsewhere; .* delete .*\{LOCK}"), locked(tmp_path):
        pass


def test_only_the_own_lock_is_removed(tmp_path: Path) -> None:
    with locked(tmp_path):
        (tmp_path / LOCK).write_text(json.dumps({"pid": 1, "host": "elsewhere"}), encoding="utf-8")
    assert (tmp_path / LOCK).is_file()


def test_whether_it_is_held_is_told_without_taking_it(tmp_path: Path) -> None:
    assert not held(tmp_path)
    with unheld(tmp_path):
        pass
    with locked(tmp_path):
        assert held(tmp_path)
        with pytest.raises(ArtifactError, match="in use by process"), unheld(tmp_path):
            pass
        assert held(tmp_path)
    (tmp_path / LOCK).write_text("{}", encoding="utf-8")
    assert not held(tmp_path)
