"""Hands do what the caller would do, in the caller's order; what goes wrong with them costs only time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dadeum.core.artifact import read_json
from dadeum.data import crew, prepare, step
from dadeum.data.bench import Bench, Settings
from dadeum.data.crew import Crew, Hand
from dadeum.data.maker import Chunk
from tests.data.small import Data

pytestmark = pytest.mark.skipif(os.name != "posix", reason="other processes are called on POSIX only")


class Task(NamedTuple):
    chunk: Chunk


def chunks(count: int, rows: int = 5) -> list[Task]:
    said = [[{"question": f"질문 {i} {j}", "answer": "답"} for j in range(rows)] for i in range(count)]
    return [
        Task(Chunk(0, "a", ("question", "answer"), [(i * rows + j, row, f"a:{j}", None) for j, row in enumerate(some)]))
        for i, some in enumerate(said)
    ]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    data = Data(tmp_path)
    return Settings.of(data.settings({"type": "jsonl", "path": "a.jsonl"}), "sft", data.tokenizer, None, data.workspace)


@pytest.fixture
def called(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    monkeypatch.setattr(crew, "cores", lambda: 3)
    with Crew(settings) as made:
        made.start()
        yield made


def wait_for(hands: list[Hand]) -> None:
    end = time.monotonic() + 60
    while not all(hand.up for hand in hands):
        assert time.monotonic() < end, "no hand came"
        time.sleep(0.02)


def test_the_results_are_the_callers_in_its_order(called: Crew, settings: Settings) -> None:
    wait_for(called.hands)
    bench, tasks = Bench(settings), chunks(40)
    own: list[Chunk] = []

    def counted(chunk: Chunk) -> Any:
        own.append(chunk)
        return bench.rows(chunk)

    found = list(called.work("rows", counted, tasks))
    assert [task for task, _ in found] == tasks
    assert [made for _, made in found] == [Bench(settings).rows(task.chunk) for task in tasks]
    assert len(called.hands) == 2 and 0 < len(own) < 40, "caller and hands both worked"
    assert all(hand.has == 0 for hand in called.hands)


def test_a_hand_that_is_killed_costs_nothing(called: Crew, settings: Settings) -> None:
    wait_for(called.hands)
    bench, tasks = Bench(settings), chunks(60)
    found = []
    for number, (_, made) in enumerate(called.work("rows", bench.rows, tasks)):
        found.append(made)
        if number == 5:
            for hand in called.hands:
                hand._process.kill()
    assert found == [bench.rows(task.chunk) for task in tasks]
    assert not any(hand.up for hand in called.hands)


def test_an_error_is_the_callers_own_and_waits_for_its_turn(called: Crew, settings: Settings) -> None:
    wait_for(called.hands)
    bench, tasks = Bench(settings), chunks(20)
    bad = Task(tasks[12].chunk._replace(columns=("x", "y")))
    tasks[12] = bad
    found = []
    with pytest.raises(Exception, match="no known kind of rows"):
        found.extend(called.work("rows", bench.rows, tasks))
    done = []
    with pytest.raises(Exception, match="no known kind of rows"):
        for _, made in called.work("rows", bench.rows, tasks):
            done.append(made)
    assert len(done) == 12


def test_without_hands_the_caller_does_it_all(settings: Settings) -> None:
    bench, tasks = Bench(settings), chunks(3)
    for alone in (Crew(settings), Crew()):
        alone_start = alone if alone.bench is None else None
        if alone_start is not None:
            alone.start()
        assert [made for _, made in alone.work("rows", bench.rows, tasks)] == [bench.rows(t.chunk) for t in tasks]
        assert alone.hands == []


def test_a_hand_without_its_tools_is_not_asked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "cores", lambda: 2)
    broken = Settings(**{**vars(settings), "data": {"no": "settings"}})
    with Crew(broken) as made:
        made.start()
        assert made.hands[0].ready.result(60)[0] is False
        tasks = chunks(4)
        assert len(list(made.work("rows", Bench(settings).rows, tasks))) == 4


CALLER = """
import sys, time
from dadeum.data import crew
crew.cores = lambda: 2
made = crew.Crew(None)
made.bench = object  # whatever: the hand has not got its tools yet, or waits for work
made.start()
print(made.hands[0]._process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGINT])
def test_the_hands_end_with_their_caller(signal_: int, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", CALLER], stdout=subprocess.PIPE, text=True, cwd=tmp_path) as caller:
        assert caller.stdout is not None
        pid = int(caller.stdout.readline())
        assert Path(f"/proc/{pid}").exists() or not Path("/proc").exists()
        caller.send_signal(signal_)
        caller.wait(30)
    end = time.monotonic() + 30
    while _alive(pid):
        assert time.monotonic() < end, "the hand outlived its caller"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z")


def test_the_stages_make_the_same_bytes_with_hands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of every fate: kept, twice there, without an answer, no JSON; hands from the first row on."""
    lines = []
    for i in range(3000):
        lines.append(f'{{"question": "질문 {i % 2900}", "answer": "{"" if i % 97 == 5 else f"답 {i}"}"}}')
        if i % 501 == 7:
            lines.append("{no json")
    text = "\n".join(lines) + "\n"
    made = []
    for name in ("alone", "together"):
        data = Data(tmp_path / name)
        chosen = data.settings(
            {"type": "jsonl", "path": data.write("a.jsonl", text)},
            split={"validation": 0.1, "test": 0.1},
            faulty_rows="drop",
        )
        if name == "together":
            monkeypatch.setattr(crew, "cores", lambda: 3)
            monkeypatch.setattr(prepare, "MANY", 1)
            monkeypatch.setattr(step, "MANY", 1)
            start = Crew.start

            def started(self: Crew, start: Any = start) -> None:
                start(self)
                wait_for(self.hands)

            monkeypatch.setattr(Crew, "start", started)
        preprocessed, formatted = data.preprocess(chosen), data.format(chosen)
        files = [preprocessed / n for n in ("processed_conversations.json", "faulty_rows.jsonl", "report.json")]
        files += [formatted / n for n in ("train.arrow", "validation.arrow", "test.arrow", "test.jsonl")]
        made.append([file.read_bytes() for file in files])
        assert read_json(preprocessed / "report.json")["read"] == 3006
        made[-1].append(read_json(formatted / "statistics.json"))
    assert made[0] == made[1]
