"""Other processes that do a part of the work: a chunk goes out, what was made of it comes back, in order.

Hands are forks of the caller, with all that it has loaded: they cost milliseconds and share its memory. The caller works
too: while nobody is free, it does the next chunk itself. A hand that fails or is killed costs nothing but time: its chunk
is done again by the caller, and whatever error is in it is raised there, in its turn. When the caller dies, the hands find
their pipe closed and end. Hands compute, and touch nothing else: no file, no screen, no thread. Where there is no fork that
is safe (macOS, Windows) the caller works alone.
"""

import contextlib
import gc
import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import Any, NoReturn, Protocol, TypeVar

# Beyond these the caller, who reads and writes, is the slowest.
MOST = 7
ALONE = 4  # chunks that the caller does first: few rows need no hands, and what it learns meanwhile they know from the start
AHEAD = 2  # chunks that a hand has, so that it need not wait for the next
OBJECTS = 100_000  # new ones, until cycles among them are looked for
PIPE = 1 << 20  # bytes that a pipe holds, where the system lets us say


class Chunked(Protocol):
    """A task: its chunk goes to whoever does it, the rest stays with the caller."""

    @property
    def chunk(self) -> Any:
        """What it is about."""


Task = TypeVar("Task", bound=Chunked)
Result = TypeVar("Result")
# The caller's ends of all pipes: a fork must not hold those of other hands open.
_ends: set[int] = set()


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Hand:
    """One other process, which does `work` to each chunk."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        from multiprocessing.connection import Connection

        there, out = os.pipe()
        back_in, back = os.pipe()
        for end in (out, back):
            _widen(end)
        with warnings.catch_warnings():
            # Newer Pythons warn of forks beside threads: whatever these hold, a hand does not ask for it.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if not self.pid:
            _serve(work, there, back, {out, back_in, *_ends})
        os.close(there)
        os.close(back)
        _ends.update((out, back_in))
        self._out, self._in = Connection(out, readable=False), Connection(back_in, writable=False)
        self._asked: deque[Future[Any]] = deque()
        self.up = True
        Thread(target=self._hear, daemon=True).start()

    @property
    def has(self) -> int:
        """Chunks that it works on."""
        return len(self._asked)

    def give(self, chunk: Any) -> "Future[Any]":
        """A chunk for this hand. The answer is (True, result), or (False, the reason)."""
        answer: Future[Any] = Future()
        self._asked.append(answer)
        try:
            self._out.send(chunk)
        except Exception:  # the pipe is closed, or a cell holds what cannot go through it
            self.up = False
        if not self.up:
            self._give_up()
        return answer

    def _hear(self) -> None:
        """Take what comes back, also while the caller is busy sending: so neither waits for the other for ever."""
        try:
            while True:
                result = self._in.recv()
                self._asked.popleft().set_result(result)
        except Exception:  # nobody may wait for an answer that will not come
            self.up = False
            self._give_up()

    def _give_up(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self._asked.popleft().set_result((False, "the hand is gone"))

    def stop(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        _ends.difference_update((self._out.fileno(), self._in.fileno()))
        self._out.close()
        self._in.close()


@dataclass
class _Waiting:
    task: Any
    answer: "Future[Any]"
    hand: Hand | None = None


class Crew:
    """The hands that do `work` with the caller, from the chunk on that shows that there are many."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self.own = work
        self.hands: list[Hand] = []

    def start(self) -> None:
        """Call the hands, as many as there are processors beside the caller's."""
        if not self.hands and sys.platform == "linux":
            self.hands = [Hand(self.own) for _ in range(min(cores() - 1, MOST))]

    def stop(self) -> None:
        """Send them home."""
        for hand in self.hands:
            hand.stop()
        self.hands = []

    def work(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Any]]:
        """The tasks with what became of their chunks, in their order; when it is through, the hands go home."""
        with _few_collections():
            try:
                yield from self._work(tasks)
            finally:
                self.stop()

    def _work(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Any]]:
        waiting: deque[_Waiting] = deque()
        for count, task in enumerate(tasks):
            if count == ALONE:
                self.start()
            hand = min((h for h in self.hands if h.has < AHEAD and h.up), key=lambda h: h.has, default=None)
            if hand is not None:
                waiting.append(_Waiting(task, hand.give(task.chunk), hand))
            else:
                waiting.append(_Waiting(task, self._here(task.chunk)))
            while waiting and (waiting[0].answer.done() or len(waiting) > 2 * AHEAD * (len(self.hands) + 1)):
                yield self._finished(waiting.popleft())
        while waiting:
            yield self._finished(waiting.popleft())

    def _finished(self, one: _Waiting) -> tuple[Any, Any]:
        if one.hand is None:
            return one.task, one.answer.result()
        good, result = one.answer.result()
        return one.task, result if good else self.own(one.task.chunk)

    def _here(self, chunk: Any) -> "Future[Any]":
        """What the caller does itself; an error waits until those before it are through."""
        done: Future[Any] = Future()
        try:
            done.set_result(self.own(chunk))
        except Exception as error:
            done.set_exception(error)
        return done


@contextlib.contextmanager
def _few_collections() -> Iterator[None]:
    """Rows are many small objects without cycles: to look for cycles again and again takes a seventh of the time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _widen(pipe: int) -> None:
    """Let a pipe hold a whole chunk, so that nobody waits for the other to read."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)


def _serve(work: Callable[[Any], Any], there: int, back: int, others: set[int]) -> NoReturn:
    """A hand at work, until the pipe is closed. Never returns: nothing of the caller's is to be run to its end here."""
    try:
        from multiprocessing.connection import Connection

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller ends, and its pipe with it
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads stayed with the caller
        for end in others:
            os.close(end)
        tasks, results = Connection(there, writable=False), Connection(back, readable=False)
        while True:
            chunk = tasks.recv()
            try:
                answer = True, work(chunk)
            except Exception as error:  # the caller does it again, and shows what is wrong
                answer = False, repr(error)
            results.send(answer)
    except BaseException:
        os._exit(1)
    os._exit(0)
