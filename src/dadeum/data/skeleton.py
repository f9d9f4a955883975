"""What a template does to conversations of one shape, learned once: pieces of its own text, and where each message goes.

A template is rendered once on texts that notice how they are read. Where it only pastes them (whole, or stripped), or asks
them a question whose answer can be asked of every other text too (`'</think>' in content`), any conversation of the same
shape with the same answers renders to the same pieces: no template needs to run for it. Where it does anything else with
a text, nothing is learned. Knows no tokens.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dadeum.data.bounds import Allowance

Message = Mapping[str, Any]
Shape = tuple[str, ...]
# A text and what was stripped from it: ((method, arguments), …).
Strips = tuple[tuple[str, tuple[Any, ...]], ...]
Slot = tuple[int, Strips]

# One private-use character stands for each text that a template may paste.
FIRST, LAST = 0xE000, 0xF8FF
STRIPS = ("strip", "lstrip", "rstrip")
# Questions to a text that another text can be asked in its place.
QUESTIONS = ("startswith", "endswith", "count", "find", "isspace", "split", "replace", "removeprefix", "removesuffix")
# Tests of jinja that ask for the kind of a value only, and filters that give a text back as it is.
KINDS = ("string", "mapping", "iterable", "sequence", "none", "defined", "undefined", "number", "boolean")
SAME = ("trim", "string")
JOINED = "dadeum_joined"
VARIANTS = 8  # skeletons of one shape: their questions were answered differently
TRIES = 16  # conversations of one shape from which to learn
PROBATION = 3  # conversations on which a new skeleton is compared with the template itself
SHAPES = 4096


class Looked(Exception):
    """The template does something with a text that cannot be foretold for another one."""


@dataclass(frozen=True)
class Guard:
    """A question that the template asked of a message, and the answer under which the skeleton holds."""

    message: int
    strips: Strips
    method: str
    arguments: tuple[Any, ...]
    answer: Any

    def holds(self, texts: Sequence[str]) -> bool:
        """Whether this text gives the same answer."""
        answer = _asked(stripped(texts[self.message], self.strips), self.method, self.arguments)
        return (answer == self.answer) is True


@dataclass(frozen=True)
class Skeleton:
    """The pieces of a render: the template's own text, or (message, what is stripped from it)."""

    pieces: tuple[str | Slot, ...]
    guards: tuple[Guard, ...]

    def fits(self, texts: Sequence[str]) -> bool:
        """Whether the template would answer its own questions about these texts in the same way."""
        return not self.guards or all(guard.holds(texts) for guard in self.guards)

    def render(self, texts: Sequence[str]) -> str:
        """The conversation of these texts."""
        return "".join([p if type(p) is str else stripped(texts[p[0]], p[1]) for p in self.pieces])  # type: ignore[index,arg-type]


def stripped(text: str, strips: Strips) -> str:
    """A text as the template pastes it."""
    for method, arguments in strips:
        text = getattr(text, method)(*arguments)
    return text


def _asked(text: str, method: str, arguments: tuple[Any, ...]) -> Any:
    """The answer of a text; of a split or a replacement only whether it left the text as it is."""
    if method == "true":
        return bool(text)
    if method == "has":
        return arguments[0] in text
    if method == "is":
        return text == arguments[0]
    answer = getattr(text, method)(*arguments)
    if isinstance(answer, str):
        return answer == text
    return answer == [text] if isinstance(answer, list) else answer


@dataclass
class Trace:
    """One render that is watched: the characters that stand for texts, and the questions that were asked."""

    texts: Sequence[str]
    marks: dict[Slot, str] = field(default_factory=dict)
    guards: dict[tuple[Any, ...], Guard] = field(default_factory=dict)

    def text(self, message: int, strips: Strips = ()) -> "Watched":
        """A message as the template sees it."""
        mark = self.marks.setdefault((message, strips), chr(FIRST + len(self.marks)))
        if ord(mark) > LAST:
            raise Looked
        made = Watched(mark)
        made.trace, made.slot = self, (message, strips)
        return made

    def joined(self, parts: Sequence[str]) -> str:
        """Texts laid end to end."""
        whole = "".join([str.__str__(part) for part in parts])
        return self.mixed(whole) if any(isinstance(part, Watched) for part in parts) else whole

    def mixed(self, whole: str) -> "Watched":
        """A text of the template's own and of messages."""
        made = Watched(whole)
        made.trace = self
        return made


class Watched(str):
    """A text that notices what is done to it; anything that is not foreseen raises Looked."""

    trace: Trace
    slot: Slot | None = None  # None: texts of messages among the template's own

    def _ask(self, method: str, *arguments: Any) -> Any:
        if self.slot is None or any(isinstance(a, Watched) or not _constant(a) for a in arguments):
            raise Looked
        message, strips = self.slot
        answer = _asked(stripped(self.trace.texts[message], strips), method, arguments)
        guard = Guard(message, strips, method, arguments, answer)
        self.trace.guards[(message, strips, method, arguments)] = guard
        return answer

    def _strip(self, method: str, *arguments: Any) -> "Watched":
        if self.slot is None or any(isinstance(a, Watched) or not _constant(a) for a in arguments):
            raise Looked
        message, strips = self.slot
        return self.trace.text(message, (*strips, (method, arguments)))

    def __str__(self) -> str:
        return self

    def __add__(self, other: str) -> str:
        return self.trace.joined([self, other])

    def __radd__(self, other: str) -> str:
        return self.trace.joined([other, self])

    def __bool__(self) -> bool:
        return bool(self._ask("true"))

    def __contains__(self, part: Any) -> bool:
        return bool(self._ask("has", part))

    def __eq__(self, other: object) -> bool:
        return False if other is None else bool(self._ask("is", other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        raise Looked


def _constant(value: Any) -> bool:
    return type(value) in (str, int, bool, type(None)) or (
        isinstance(value, tuple) and all(_constant(item) for item in value)
    )


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(self: Watched, *_: Any, **__: Any) -> Any:
        raise Looked

    refuse.__name__ = name
    return refuse


def _question(name: str) -> Callable[..., Any]:
    def ask(self: Watched, *arguments: Any) -> Any:
        answer = self._ask(name, *arguments)
        if name not in ("split", "replace", "removeprefix", "removesuffix"):
            return answer
        if not answer:
            raise Looked
        return [self] if name == "split" else self

    ask.__name__ = name
    return ask


def _stripping(name: str) -> Callable[..., Any]:
    def strip(self: Watched, *arguments: Any) -> Watched:
        return self._strip(name, *arguments)

    strip.__name__ = name
    return strip


_KEPT = {"__class__", "__new__", "__init__", "__del__", "__getattribute__", "__setattr__", "__doc__", "__dir__"}
_KEPT |= {"__init_subclass__", "__subclasshook__", "__reduce__", "__reduce_ex__", "__sizeof__", "__delattr__"}
for _name in dir(str):
    if _name in STRIPS:
        setattr(Watched, _name, _stripping(_name))
    elif _name in QUESTIONS:
        setattr(Watched, _name, _question(_name))
    elif _name not in _KEPT and _name not in vars(Watched):
        setattr(Watched, _name, _refusing(_name))
for _name in ("__rmod__", "__rmul__"):
    setattr(Watched, _name, _refusing(_name))


class Skeletons:
    """The skeletons of one compiled template, by the shape of the conversation."""

    def __init__(self, compiled: Any, source: str, variables: Mapping[str, Any]) -> None:
        """`variables` are those of every render."""
        self._compiled, self._source, self._variables = compiled, source, variables
        self._known: dict[tuple[Shape, bool], list[Skeleton]] = {}
        self._tries: Counter[tuple[Shape, bool]] = Counter()
        self._trials: Counter[int] = Counter()  # by the id of a skeleton that is known
        self._trace: Trace | None = None
        written = [source, *(v for v in variables.values() if isinstance(v, str))]
        self.able = not any(FIRST <= ord(c) <= LAST for text in written for c in text) and all(
            _constant(value) or callable(value) for value in variables.values()
        )
        try:
            self._watching = self._watched()
        except Looked:
            self.able = False

    def render(self, messages: Sequence[Message], add_generation_prompt: bool, run: Callable[[], str]) -> str:
        """The conversation: from its skeleton where that is known, else as `run` renders it by the template."""
        seen = _plain_texts(messages) if self.able else None
        if seen is None:
            return run()
        roles, texts = seen
        shape = (roles, add_generation_prompt)
        known = self._known.get(shape, [])
        for fitting in known:
            if fitting.fits(texts):
                break
        else:
            rendered = run()
            if self._tries[shape] < TRIES and len(known) < VARIANTS and len(self._tries) < SHAPES:
                self._tries[shape] += 1
                found = self._traced(roles, texts, add_generation_prompt)
                if found is not None and found.render(texts) == rendered:
                    self._known[shape] = [*known, found]
            return rendered
        text = fitting.render(texts)
        if self._trials[id(fitting)] < PROBATION:
            self._trials[id(fitting)] += 1
            rendered = run()
            # A template that is cleverer than this module keeps running.
            self.able = rendered == text
            return rendered
        return text

    def proven(self, messages: Sequence[Message], add_generation_prompt: bool) -> Skeleton | None:
        """The skeleton of this conversation, where it is known and past its probation."""
        seen = _plain_texts(messages) if self.able else None
        if seen is None:
            return None
        known = self._known.get((seen[0], add_generation_prompt), [])
        return next((s for s in known if self._trials[id(s)] >= PROBATION and s.fits(seen[1])), None)

    def _traced(self, roles: Shape, texts: Sequence[str], add_generation_prompt: bool) -> Skeleton | None:
        trace = self._trace = Trace(texts)
        try:
            seen = [{"role": role, "content": trace.text(i)} for i, role in enumerate(roles)]
            with Allowance(len(texts)):
                whole = self._watching.render(
                    messages=seen, add_generation_prompt=add_generation_prompt, **self._variables
                )
        except Exception:  # Looked, or what a template makes of texts that are no plain ones
            return None
        finally:
            self._trace = None
        slots: dict[str, Slot] = {mark: slot for slot, mark in trace.marks.items()}
        pieces = re.split(f"([{chr(FIRST)}-{chr(LAST)}])", str.__str__(whole))
        return Skeleton(tuple(slots.get(p, p) for p in pieces if p), tuple(trace.guards.values()))

    def _watched(self) -> Any:
        """The same template in an environment that keeps sight of the texts."""
        environment = self._compiled.environment.overlay()
        environment.concat = lambda parts: self._trace.joined(list(parts)) if self._trace else "".join(parts)
        environment.filters = {n: f if n in SAME else self._through(f) for n, f in environment.filters.items()}
        environment.filters[JOINED] = lambda parts: environment.concat([str(part) for part in parts])
        environment.tests = {n: _of_kind(t) if n in KINDS else self._through(t) for n, t in environment.tests.items()}
        environment.call = self._calling(environment.call)
        return environment.from_string(_noticing(environment.parse(self._source)))

    def _calling(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """How the template calls anything: only its own macros and namespaces may take a text in."""
        from jinja2.runtime import Macro
        from jinja2.utils import Namespace

        def watched_call(context: Any, called: Any, *arguments: Any, **keys: Any) -> Any:
            stores = isinstance(called, Macro) or (isinstance(called, type) and issubclass(called, Namespace))
            own = isinstance(getattr(called, "__self__", None), Watched)
            if not stores and not own:
                _refuse_texts(*arguments, *keys.values())
            return self._kept(call(context, called, *arguments, **keys))

        return watched_call

    def _through(self, made: Callable[..., Any]) -> Callable[..., Any]:
        """A filter or test that must not be asked about a text, nor give one back unwatched."""

        def run(*arguments: Any, **keys: Any) -> Any:
            _refuse_texts(*arguments, *keys.values())
            return self._kept(made(*arguments, **keys))

        return _as_jinja_calls(made, run)

    def _kept(self, result: Any) -> Any:
        if type(result) is str and any(FIRST <= ord(c) <= LAST for c in result):
            raise Looked
        return result


def _plain_texts(messages: Sequence[Message]) -> tuple[Shape, list[str]] | None:
    """Roles and texts of messages that hold nothing else."""
    try:
        roles, texts = [m["role"] for m in messages], [m["content"] for m in messages]
    except KeyError:
        return None
    if sum(map(len, messages)) != 2 * len(messages) or {*map(type, roles), *map(type, texts)} - {str}:
        return None
    return tuple(roles), texts


def _refuse_texts(*values: Any) -> None:
    if any(isinstance(value, Watched) for value in values):
        raise Looked


def _of_kind(made: Callable[..., Any]) -> Callable[..., Any]:
    """A test that is asked of a watched text as of any text."""

    def run(*arguments: Any) -> Any:
        return made(*("x" if isinstance(value, Watched) else value for value in arguments))

    return _as_jinja_calls(made, run)


def _as_jinja_calls(made: Callable[..., Any], run: Callable[..., Any]) -> Callable[..., Any]:
    """Jinja sees by an attribute what a filter wants as its first argument."""
    run.__dict__.update(getattr(made, "__dict__", {}))
    return run


def _noticing(tree: Any) -> Any:
    """A parsed template in which `~` and `x in y`, which read a text behind its back, are a filter and a test."""
    from jinja2 import nodes
    from jinja2.visitor import NodeTransformer

    class Noticing(NodeTransformer):
        def visit_Concat(self, node: Any) -> Any:
            self.generic_visit(node)
            return nodes.Filter(nodes.List(node.nodes), JOINED, [], [], None, None)

        def visit_Compare(self, node: Any) -> Any:
            self.generic_visit(node)
            within = [operand for operand in node.ops if operand.op in ("in", "notin")]
            if not within or isinstance(node.expr, nodes.Const):
                return node
            if len(node.ops) > 1:
                raise Looked
            test = nodes.Test(node.expr, "in", [within[0].expr], [], None, None)
            return nodes.Not(test) if within[0].op == "notin" else test

    return Noticing().visit(tree)
