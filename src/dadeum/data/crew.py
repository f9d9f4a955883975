"""Other processes that do a part of the work: a chunk of rows goes out, what was made of it comes back, in order.

The caller works too: while nobody is free, it does the next chunk itself. So the first chunks do not wait for the others to
start, and a small file never starts them. A hand that fails or is killed costs nothing but time: its chunk is done again by
the caller, and whatever error is in it is raised there. When the caller dies, the hands find their pipe closed and end.

Messages are objects of this module's two ends, which trust each other: a pipe that nobody else has.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

from dadeum.core.language import language

# Beyond these the caller, who reads and writes, is the slowest.
MOST = 7
AHEAD = 2  # chunks that a hand has, so that it need not wait for the next
PIPE = 1 << 20  # bytes that a pipe holds, where the system lets us say
QUIET = {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


class Chunked(Protocol):
    """A task: its chunk goes to whoever does it, the rest stays with the caller."""

    @property
    def chunk(self) -> Any:
        """What it is about."""


Task = TypeVar("Task", bound=Chunked)
Result = TypeVar("Result")


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Hand:
    """One other process. `bench` is what `dadeum.data.bench` makes its tools of."""

    def __init__(self, bench: Any) -> None:
        from multiprocessing.connection import Connection

        there, self_out = os.pipe()
        self_in, back = os.pipe()
        for end in (self_out, back):
            _widen(end)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "dadeum.data.crew", str(there), str(back)],
            pass_fds=(there, back),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **QUIET, "DADEUM_LANG": language()},
        )
        os.close(there)
        os.close(back)
        self._out, self._in = Connection(self_out, readable=False), Connection(self_in, writable=False)
        self._line: SimpleQueue[tuple[Future[Any], Any] | None] = SimpleQueue()
        # A daemon: nobody waits for a hand that is still loading when the caller ends.
        Thread(target=self._talk, daemon=True).start()
        self.has = 0  # chunks
        self.ready = self._ask(bench)

    def give(self, name: str, task: Any) -> "Future[Any]":
        """A chunk for this hand. The answer is (True, result), or (False, the reason)."""
        self.has += 1
        return self._ask((name, task))

    def _ask(self, message: Any) -> "Future[Any]":
        answer: Future[Any] = Future()
        self._line.put((answer, message))
        return answer

    def _talk(self) -> None:
        while (asked := self._line.get()) is not None:
            asked[0].set_result(self._call(asked[1]))

    def _call(self, message: Any) -> Any:
        try:
            self._out.send(message)
            return self._in.recv()
        except (EOFError, OSError) as error:
            return False, repr(error)

    @property
    def up(self) -> bool:
        """Whether it has its tools and lives."""
        return self.ready.done() and self.ready.result()[0] and self._process.poll() is None

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._line.put(None)
        self._out.close()
        self._in.close()


@dataclass
class _Waiting:
    task: Any
    answer: "Future[Any]"
    hand: Hand | None = None


class Crew:
    """The hands that work for one caller; none before `start`."""

    def __init__(self, bench: Any = None) -> None:
        """`bench` is what the hands make their tools of; without one there is only the caller."""
        self.bench = bench
        self.hands: list[Hand] = []

    def start(self) -> None:
        """Call the hands, as many as there are processors beside the caller's. They take a second or two."""
        if self.hands or self.bench is None or os.name != "posix" or not sys.executable:
            return
        self.hands = [Hand(self.bench) for _ in range(min(cores() - 1, MOST))]

    def stop(self) -> None:
        """Send them home."""
        for hand in self.hands:
            hand.stop()
        self.hands = []

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def work(self, name: str, own: Callable[[Any], Result], tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        """The tasks with their results, in their order. `own` does a task's chunk here; `name` is what a hand calls the same."""
        waiting: deque[_Waiting] = deque()
        for task in tasks:
            hand = min((h for h in self.hands if h.has < AHEAD and h.up), key=lambda h: h.has, default=None)
            if hand is not None:
                waiting.append(_Waiting(task, hand.give(name, task.chunk), hand))
            else:
                waiting.append(_Waiting(task, _here(own, task.chunk)))
            while waiting and (waiting[0].answer.done() or len(waiting) > 2 * AHEAD * (len(self.hands) + 1)):
                yield self._finished(waiting.popleft(), own)
        while waiting:
            yield self._finished(waiting.popleft(), own)

    def _finished(self, one: _Waiting, own: Callable[[Any], Any]) -> tuple[Any, Any]:
        if one.hand is None:
            return one.task, one.answer.result()
        good, result = one.answer.result()
        one.hand.has -= 1
        return one.task, result if good else own(one.task.chunk)


def _here(own: Callable[[Any], Any], chunk: Any) -> "Future[Any]":
    """What the caller does itself; an error waits until those before it are through."""
    done: Future[Any] = Future()
    try:
        done.set_result(own(chunk))
    except Exception as error:
        done.set_exception(error)
    return done


def _widen(pipe: int) -> None:
    """Let a pipe hold a whole chunk, so that nobody waits for the other to read."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)


def main(there: int, back: int) -> None:
    """A hand at work, until the pipe is closed."""
    from multiprocessing.connection import Connection

    from dadeum.data.bench import Bench

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller ends, and its pipe with it
    tasks, results = Connection(there, writable=False), Connection(back, readable=False)
    with contextlib.suppress(EOFError, OSError):
        bench = Bench(tasks.recv())
        results.send((True, None))
        while True:
            name, task = tasks.recv()
            try:
                answer = True, getattr(bench, name)(task)
            except Exception as error:  # the caller does it again, and shows what is wrong
                answer = False, repr(error)
            results.send(answer)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
