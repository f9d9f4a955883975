"""What a chat template may use up: processor time, memory, and the size of what one operation makes.

A template is foreign code. While one runs in the main thread, a timer looks a few times a second at the processor time of
this thread (no other's, and no waiting: a busy machine refuses nothing more) and at the memory that it took. Nor is Python's
own collector at work meanwhile: with a model in memory it takes a second, which is no fault of the template's. One operation
cannot be looked at while it works (`'x' * 10**10`), so those that make much of little are asked for the size of their result before. Nothing of this is at work where no template runs.
"""

import gc
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

SECONDS = 1.0  # of processor time for a conversation, and as much again for every SHORT messages
SHORT = 100
MEMORY = 1 << 29  # bytes that the process may grow by
LARGEST = 10_000_000  # characters or items that one operation may make
BITS = 100_000  # of a whole number
FIELDS = 64  # of a text that is filled in
EVERY = 0.02


class Exceeded(Exception):
    """The template uses up too much."""


class Allowance:
    """`with Allowance(messages):` a template runs under bounds of time and memory; Exceeded comes out where it does not keep them."""

    __slots__ = ("_before", "_began", "_collects", "seconds")
    _running: "Allowance | None" = None
    _ready: bool | None = None

    def __init__(self, messages: int = 0) -> None:
        """For so many messages: some templates look at all of them for each of them."""
        self.seconds = SECONDS * (1 + messages // SHORT)

    def __enter__(self) -> None:
        if Allowance._running is None and threading.get_ident() == _MAIN and _ready():
            self._collects = gc.isenabled()
            gc.disable()
            self._before, self._began = 0, time.thread_time()
            Allowance._running = self
            signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def __exit__(self, *_: object) -> None:
        if Allowance._running is self:
            signal.setitimer(signal.ITIMER_PROF, 0)
            Allowance._running = None
            if self._collects:
                gc.enable()

    def look(self) -> None:
        """Called some times a second. Raises Exceeded."""
        import psutil  # type: ignore[import-untyped]

        memory = int(psutil.Process().memory_info().rss)
        self._before = self._before or memory
        if time.thread_time() - self._began >= self.seconds or memory - self._before > MEMORY:
            raise Exceeded


_MAIN = threading.main_thread().ident
_OWN = frozenset({Allowance.__enter__.__code__, Allowance.__exit__.__code__})


def _tick(_: int, frame: FrameType | None) -> None:
    running = Allowance._running
    if running is not None and (frame is None or frame.f_code not in _OWN):
        running.look()


def _ready() -> bool:
    """Whether there is such a timer (not on Windows) and nobody else uses it; looked at once."""
    if Allowance._ready is None:
        there = hasattr(signal, "setitimer") and signal.getsignal(signal.SIGPROF) is signal.SIG_DFL
        if there:
            import psutil  # noqa: F401  # never within a tick: the next one would find it half imported

            signal.signal(signal.SIGPROF, _tick)  # stays: a signal that comes late finds nothing to do
        Allowance._ready = there
    return Allowance._ready


def bounded(environment: Any) -> Any:
    """The environment of a template, in which no single operation makes something huge. Changes what it is given."""
    operate, call = environment.call_binop, environment.call

    def call_binop(context: Any, operator: str, left: Any, right: Any) -> Any:
        _allow(OPERATORS[operator], left, right)
        return operate(context, operator, left, right)

    def called(context: Any, what: Any, *arguments: Any, **keys: Any) -> Any:
        size = METHODS.get(getattr(what, "__name__", ""))
        if size is not None:
            own = getattr(getattr(what, "__wrapped__", what), "__self__", None)  # the sandbox wraps `format`
            if type(own) is str or hasattr(own, "__html__"):
                _allow(size, own, *arguments, **keys)
        return call(context, what, *arguments, **keys)

    environment.intercepted_binops = frozenset(OPERATORS)
    environment.call_binop, environment.call = call_binop, called
    filters = {name: _sized(environment.filters[name], size) for name, size in FILTERS.items()}
    environment.filters = {**environment.filters, **filters}
    return environment


def _sized(made: Callable[..., Any], size: Callable[..., int]) -> Callable[..., Any]:
    """A filter that is asked for the size of its result first."""
    led = hasattr(made, "jinja_pass_arg")  # jinja gives it something of its own before the value

    def run(*arguments: Any, **keys: Any) -> Any:
        own, rest = arguments[:led], list(arguments[led:])
        if rest and hasattr(rest[0], "__next__"):
            rest[0] = list(rest[0])
        _allow(size, *rest, **keys)
        return made(*own, *rest, **keys)

    run.__dict__.update(made.__dict__)
    return run


def _allow(size: Callable[..., int], *arguments: Any, **keys: Any) -> None:
    try:
        found = size(*arguments, **keys)
    except (TypeError, ValueError, AttributeError):  # not what the operation takes: it says so itself
        return
    if found > LARGEST:
        raise Exceeded


def _length(value: Any) -> int:
    return len(value) if hasattr(value, "__len__") else 1


def _times(left: Any, right: Any) -> int:
    if isinstance(left, int) and isinstance(right, int):
        return LARGEST * (left.bit_length() + right.bit_length() > BITS) + 1
    return max(
        _length(left) * right if isinstance(right, int) else 0, _length(right) * left if isinstance(left, int) else 0
    )


def _power(left: Any, right: Any) -> int:
    return LARGEST * (left.bit_length() * right > BITS) + 1 if isinstance(left, int) and isinstance(right, int) else 0


def _filled(text: Any, *_: Any, **__: Any) -> int:
    """`'%9d' % x`, `'{:9}'.format(x)`: few fields, and no width that is large or comes from elsewhere."""
    if not isinstance(text, str):
        return 0
    wide = re.search(r"\d{5}|%[^%a-zA-Z]*\*|:[^{}]*\{", text)
    return LARGEST * bool(wide or text.count("%") > FIELDS or text.count("{") > FIELDS) + 1


def _replaced(text: Any, old: str, new: str, *_: Any, **__: Any) -> int:
    text = str(text)
    return text.count(old) * len(new) if len(text) * len(new) > LARGEST else 0


def _joined(between: Any, parts: Any) -> int:
    return sum(_length(part) for part in parts) + _length(between) * len(parts)


def _nested(value: Any, *_: Any, indent: Any = 0, **__: Any) -> int:
    """How much there is in lists of lists; it stops where that is too much."""
    found, waiting = 0, [value]
    while waiting and found <= LARGEST // 10:
        one = waiting.pop()
        found += 1
        if isinstance(one, Mapping):
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one
    return found * (10 + (indent if isinstance(indent, int) else _length(indent)))


def _wide(text: Any, width: Any = 0, *_: Any, **__: Any) -> int:
    lines = str(text).count("\n") + 1
    return lines * (width if isinstance(width, int) else _length(width))


OPERATORS: dict[str, Callable[..., int]] = {"*": _times, "**": _power, "%": _filled}
METHODS: dict[str, Callable[..., int]] = {
    **dict.fromkeys(("center", "ljust", "rjust", "zfill"), _wide),
    **dict.fromkeys(("format", "format_map"), _filled),
    "expandtabs": lambda text, tabsize=8: text.count("\t") * tabsize,
    "replace": _replaced,
    "join": _joined,
}
FILTERS: dict[str, Callable[..., int]] = {
    "batch": lambda value, linecount, *_, **__: linecount,
    "center": _wide,
    "format": _filled,
    "indent": _wide,
    "join": lambda value, d="", *_, **__: _joined(d, value),
    "replace": _replaced,
    "round": lambda value, precision=0, *_, **__: LARGEST * (abs(precision) > FIELDS) + 1,
    "sum": lambda value, attribute=None, start=0: _length(value) ** 2 * hasattr(start, "__len__"),
    "tojson": _nested,
    "wordwrap": lambda text, width=79, long=True, wrapstring="\n", *_, **__: _length(text) * _length(wrapstring),
}
