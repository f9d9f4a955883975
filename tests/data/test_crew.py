"""Hands do what the caller would do, in the caller's order; what goes wrong with them costs only time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dadeum.core.artifact import read_json
from dadeum.data import crew, prepare
from dadeum.data.crew import Crew
from tests.data.small import Data

forks = pytest.mark.skipif(sys.platform != "linux", reason="hands are forked on Linux only")


class Task(NamedTuple):
    chunk: Any


def tasks(count: int) -> list[Task]:
    return [Task(number) for number in range(count)]


def who(number: int) -> tuple[int, int]:
    time.sleep(0.002)
    return number, os.getpid()


@pytest.fixture(autouse=True)
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "cores", lambda: 3)


@forks
def test_the_results_come_in_order_from_the_caller_and_its_hands() -> None:
    given = tasks(60)
    found = list(Crew(who).work(given))
    assert [task for task, _ in found] == given and [result[0] for _, result in found] == list(range(60))
    pids = [result[1] for _, result in found]
    assert set(pids[: crew.ALONE]) == {os.getpid()}, "the caller begins alone"
    assert len(set(pids)) == 3 and pids.count(os.getpid()) < 60


@forks
def test_large_chunks_and_results_do_not_make_both_wait_for_ever() -> None:
    size = 5 * crew.PIPE
    given = [Task(bytes([number]) * size) for number in range(20)]
    found = [result for _, result in Crew(lambda chunk: chunk[:1] * size).work(given)]
    assert [result[0] for result in found] == list(range(20)) and {len(result) for result in found} == {size}


@forks
def test_a_hand_that_is_killed_costs_nothing() -> None:
    made = Crew(who)
    found = []
    for number, (_, result) in enumerate(made.work(tasks(80))):
        found.append(result[0])
        if number == 20:
            for hand in made.hands:
                os.kill(hand.pid, signal.SIGKILL)
    assert found == list(range(80))


@forks
def test_an_error_is_the_callers_own_and_waits_for_its_turn() -> None:
    raised = []

    def fussy(number: int) -> int:
        if number == 30:
            raised.append(os.getpid())
            raise ValueError("no 30")
        time.sleep(0.001)
        return number

    done = []
    with pytest.raises(ValueError, match="no 30"):
        for _, result in Crew(fussy).work(tasks(60)):
            done.append(result)
    assert done == list(range(30)) and raised[-1] == os.getpid()


@forks
def test_a_result_that_cannot_go_through_the_pipe_is_made_here() -> None:
    found = [result() for _, result in Crew(lambda number: lambda: number).work(tasks(30))]
    assert found == list(range(30))


@forks
def test_a_chunk_that_cannot_go_through_the_pipe_is_done_here() -> None:
    given = [Task((lambda number=number: number) if number == 20 else number) for number in range(60)]
    found = [result for _, result in Crew(lambda chunk: (time.sleep(0.001), str(chunk)[:3])[1]).work(given)]
    assert found == ["<fu" if number == 20 else str(number)[:3] for number in range(60)]


@forks
def test_no_hand_is_left_when_it_is_through_or_given_up() -> None:
    made = Crew(who)
    list(made.work(tasks(20)))
    assert made.hands == [] and crew._ends == set()
    for _ in made.work(tasks(60)):
        if made.hands:
            pids = [hand.pid for hand in made.hands]
            break
    made.stop()
    assert not any(alive(pid) for pid in pids) and crew._ends == set()


def test_few_chunks_need_no_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Crew, "start", lambda self: pytest.fail("hands were called"))
    assert {result[1] for _, result in Crew(who).work(tasks(crew.ALONE))} == {os.getpid()}


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_the_caller_works_alone(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert {result[1] for _, result in Crew(who).work(tasks(20))} == {os.getpid()}


def test_the_collector_works_as_before_when_it_is_through() -> None:
    import gc

    before = gc.get_threshold()
    during = [gc.get_threshold()[0] for _ in Crew(who).work(tasks(3))]
    assert set(during) == {crew.OBJECTS} and gc.get_threshold() == before and gc.get_freeze_count() == 0


CALLER = """
import sys, time
from typing import NamedTuple
from dadeum.data import crew

class Task(NamedTuple):
    chunk: int

crew.cores = lambda: 3
made = crew.Crew(lambda number: time.sleep(0.01))
going_on = made.work(map(Task, range(10**9)))
for _ in going_on:
    if made.hands:
        print(*(hand.pid for hand in made.hands), flush=True)
        break
time.sleep(60)
"""


@forks
@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_hands_end_with_their_caller(signal_: int, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CALLER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
    ) as caller:
        assert caller.stdout is not None
        pids = [int(pid) for pid in caller.stdout.readline().split()]
        assert len(pids) == 2 and all(map(alive, pids))
        caller.send_signal(signal_)
        caller.wait(600)
    end = time.monotonic() + 600
    while any(map(alive, pids)):
        assert time.monotonic() < end, "a hand outlived its caller"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


@forks
def test_the_stages_make_the_same_bytes_with_hands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of every fate: kept, twice there, without an answer, no JSON."""
    lines = []
    for i in range(3000):
        lines.append(f'{{"question": "질문 {i % 2900}", "answer": "{"" if i % 97 == 5 else f"답 {i}"}"}}')
        if i % 501 == 7:
            lines.append("{no json")
    text = "\n".join(lines) + "\n"
    monkeypatch.setattr(prepare, "CHUNK", 100)
    monkeypatch.setattr("dadeum.data.format.CHUNK", 100)
    called: list[int] = []
    start = Crew.start

    def started(self: Crew) -> None:
        start(self)
        called.append(len(self.hands))

    monkeypatch.setattr(Crew, "start", started)
    made = []
    for name, count in (("alone", 1), ("together", 3)):
        monkeypatch.setattr(crew, "cores", lambda count=count: count)
        data = Data(tmp_path / name)
        chosen = data.settings(
            {"type": "jsonl", "path": data.write("a.jsonl", text)},
            split={"validation": 0.1, "test": 0.1},
            faulty_rows="drop",
        )
        preprocessed, formatted = data.preprocess(chosen), data.format(chosen)
        files = [preprocessed / n for n in ("processed_conversations.json", "faulty_rows.jsonl", "report.json")]
        files += [formatted / n for n in ("train.arrow", "validation.arrow", "test.arrow", "test.jsonl")]
        made.append([file.read_bytes() for file in files])
        assert read_json(preprocessed / "report.json")["read"] == 3006
        made[-1].append(read_json(formatted / "statistics.json"))
    assert made[0] == made[1] and called == [0, 0, 2, 2]
