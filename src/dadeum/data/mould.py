"""Samples from their texts alone: what a template writes around the texts of one shape is ids already.

A mould is cut from a conversation that went the long way (`spans.py`, `pieces.py`). It holds where every render that the
long way needs came from a skeleton, each prompt is the beginning of its turn piece by piece, and no control token can lie
across what the template writes and what a message says. Then another conversation of the shape, with texts without the
first character of any control token, differs in these texts only: they are encoded, between the control tokens, and laid
into the mould. What does not fit goes the long way. Knows no templates but by their skeletons.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dadeum.data.assemble import Plan, Sample, text_bytes
from dadeum.data.pieces import WIDTH, Pieces
from dadeum.data.skeleton import Guard, Skeleton, Skeletons, Slot, stripped
from dadeum.data.spans import Turn
from dadeum.data.turns import TrainOn

Message = Mapping[str, Any]
TRAINED = np.float32(1).tobytes()
Part = str | Slot
TRIES = 32  # conversations of one shape from which to cut
MOULDS = 8  # of one shape


class Border(NamedTuple):
    """Between two pieces: of turn `turn` the prompt's end (0), the answer's beginning (1), or the target's end (2)."""

    turn: int
    kind: int


class Segment(NamedTuple):
    """What stands between two control tokens and holds texts; `heads`: its template's beginning up to each border, as ids."""

    parts: tuple[Part, ...]
    heads: tuple[tuple[Border, bytes], ...]


Step = bytes | Border | Segment


class Run(NamedTuple):
    """Ids of the template, and a segment behind them.

    `heads`: ids with which the segment must begin. `answer`: bytes of its ids before an answer; below zero it holds none.
    `after`: bytes between the segment and the end of the target.
    """

    before: bytes
    parts: tuple[Part, ...]
    heads: tuple[bytes, ...]
    answer: int
    after: int = 0


@dataclass(frozen=True)
class Mould:
    """The runs of a sample and what follows them; and the answers, in the order of their turns."""

    guards: tuple[Guard, ...]
    runs: tuple[Run, ...]
    tail: bytes
    answers: tuple[Slot, ...]

    def fits(self, texts: Sequence[str]) -> bool:
        """Whether these texts may be laid into it."""
        for guard in self.guards:
            if not guard.holds(texts):
                return False
        return all(not texts[i].isspace() and texts[i] != "" for i, _ in self.answers)

    def segments(self, texts: Sequence[str]) -> list[str]:
        """What has to be encoded."""
        return [
            "".join(
                [p if isinstance(p, str) else stripped(texts[p[0]], p[1]) if p[1] else texts[p[0]] for p in run.parts]
            )
            for run in self.runs
        ]

    def cast(self, texts: Sequence[str], segments: Sequence[str], known: Mapping[str, bytes]) -> Sample | None:
        """The sample; None where a token lies across a border."""
        ids: list[bytes] = []
        weights: list[bytes] = []
        silent = 0  # bytes since the last target
        for (before, _, heads, answer, after), segment in zip(self.runs, segments, strict=True):
            found = known[segment]
            for head in heads:
                if not found.startswith(head):
                    return None
            ids += (before, found)
            if answer < 0:
                silent += len(before) + len(found)
            else:
                weights += (bytes(silent + len(before) + answer), TRAINED * ((len(found) - answer + after) // WIDTH))
                silent = -after
        ids.append(self.tail)
        weights.append(bytes(silent + len(self.tail)))
        said = "".join([stripped(texts[i], strips) if strips else texts[i] for i, strips in self.answers])
        return Sample(
            np.frombuffer(b"".join(ids), np.int32), np.frombuffer(b"".join(weights), np.float32), text_bytes(said)
        )


class Moulds:
    """The moulds of one template under one tokenizer, by the shape of the conversation."""

    def __init__(self, skeletons: Skeletons, pieces: Pieces) -> None:
        self._skeletons, self._pieces = skeletons, pieces
        self._known: dict[tuple[TrainOn, tuple[str, ...]], list[Mould]] = {}
        self._tries: Counter[tuple[TrainOn, tuple[str, ...]]] = Counter()
        self._begins = re.compile(f"[{re.escape(''.join({c[0] for c in pieces.control}))}]")
        self._starts = frozenset(token[:size] for token in pieces.control for size in range(1, len(token)))

    def cast(self, conversations: Sequence[Sequence[Message]], train_on: TrainOn) -> list[Sample | None]:
        """The samples of conversations for which there is a mould, None for the others."""
        if not self._known or not self._skeletons.able:
            return [None] * len(conversations)
        fitting = [self._fitting(messages, train_on) for messages in conversations]
        cut = [None if f is None else f[0].segments(f[1]) for f in fitting]
        known = self._pieces.known([segment for segments in cut if segments is not None for segment in segments])
        return [
            None if f is None or s is None else f[0].cast(f[1], s, known) for f, s in zip(fitting, cut, strict=True)
        ]

    def _fitting(self, messages: Sequence[Message], train_on: TrainOn) -> tuple[Mould, list[str]] | None:
        try:
            moulds = self._known[train_on, tuple([m["role"] for m in messages])]
            texts = [m["content"] for m in messages]
            if sum(map(len, messages)) != 2 * len(texts) or self._begins.search("\n".join(texts)):
                return None
        except (KeyError, TypeError):  # no mould, no role, or what is no text
            return None
        mould = next((m for m in moulds if m.fits(texts)), None)
        return None if mould is None else (mould, texts)

    def learn(self, messages: Sequence[Message], plan: Plan, train_on: TrainOn) -> None:
        """Cut a mould from a conversation whose plan was made the long way, if there can be one."""
        if plan.everything or plan.hidden or any(len(m) != 2 or m["role"] == "tool" for m in messages):
            return
        shape = (train_on, tuple([m["role"] for m in messages]))
        known = self._known.get(shape, [])
        if self._tries[shape] >= TRIES or len(known) >= MOULDS:
            return
        self._tries[shape] += 1
        mould = _cut(messages, plan.turns, self._skeletons, self._pieces, self._starts)
        if mould is not None:
            self._known[shape] = [*known, mould]


def _cut(
    messages: Sequence[Message],
    turns: Sequence[Turn],
    skeletons: Skeletons,
    pieces: Pieces,
    starts: frozenset[str],
) -> Mould | None:
    texts = [str(m["content"]) for m in messages]
    if not all(text.strip() for text in texts):  # where one is empty, two places are one
        return None
    whole = skeletons.proven(messages, False)
    if whole is None or not all(t.closed for t in turns):
        return None
    guards = list(whole.guards)
    borders: list[tuple[int, Border]] = []
    answers: list[Slot] = []
    for number, turn in enumerate(turns):
        index = turn.index
        asked, full = skeletons.proven(messages[:index], True), skeletons.proven(messages[: index + 1], False)
        slot = _slot_at(whole, texts, turn.answer, turn.answer_end)
        if asked is None or full is None or slot is None or slot[0] != index:
            return None
        if _upto(whole, texts, turn.prompt) != asked.pieces:
            return None
        if _upto(whole, texts, turn.end) != _upto(full, texts, turn.end):
            return None
        guards += [*asked.guards, *full.guards]
        answers.append(slot)
        borders += [
            (turn.prompt, Border(number, 0)),
            (turn.answer, Border(number, 1)),
            (turn.end, Border(number, 2)),
        ]
    parts = _upto(whole, texts, turns[-1].end)
    steps = None if parts is None else _steps(parts, texts, borders, pieces, starts)
    found = None if steps is None else _runs(steps)
    return None if found is None else Mould(tuple(dict.fromkeys(guards)), *found, tuple(answers))


def _length(part: Part, texts: Sequence[str]) -> int:
    return len(part) if isinstance(part, str) else len(stripped(texts[part[0]], part[1]))


def _upto(skeleton: Skeleton, texts: Sequence[str], position: int) -> tuple[Part, ...] | None:
    """The pieces of a render up to a character of it; None where that lies inside a text."""
    found: list[Part] = []
    at = 0
    for part in skeleton.pieces:
        if at == position:
            break
        size = _length(part, texts)
        if at + size > position:
            if not isinstance(part, str):
                return None
            found.append(part[: position - at])
            at = position
            break
        found.append(part)
        at += size
    return tuple(found) if at == position else None


def _slot_at(skeleton: Skeleton, texts: Sequence[str], start: int, end: int) -> Slot | None:
    """The text that lies between two characters of a render, if it is one."""
    at = 0
    for part in skeleton.pieces:
        size = _length(part, texts)
        if at == start and not isinstance(part, str):
            return part if at + size == end else None
        at += size
    return None


def _steps(
    parts: Sequence[Part],
    texts: Sequence[str],
    borders: Sequence[tuple[int, Border]],
    pieces: Pieces,
    starts: frozenset[str],
) -> list[Step] | None:
    """The pieces as ids, borders and segments; None where what is left to chance is more than the texts."""
    waiting = sorted(borders)
    steps: list[Step] = []
    segment: list[Part | Border] = []
    at = 0
    for part in parts:
        if not isinstance(part, str):
            while waiting and waiting[0][0] == at:
                segment.append(waiting.pop(0)[1])
            segment.append(part)
            at += _length(part, texts)
            continue
        for piece in pieces.cut(part):
            control = piece in pieces.control
            if control:
                made = _segment(segment, pieces, starts)
                if made is None:
                    return None
                steps += made
                segment = []
            while waiting and waiting[0][0] < at + len(piece):
                place, border = waiting.pop(0)
                if control and place > at:
                    return None
                head, piece, at = piece[: place - at], piece[place - at :], place
                segment += [head, border] if head else [border]
            if control:
                steps += [b for b in segment if isinstance(b, Border)]
                segment = []
                steps.append(pieces.known([piece])[piece])
            else:
                segment.append(piece)
            at += len(piece)
    made = _segment(segment, pieces, starts)
    return None if made is None else [*steps, *made, *(border for _, border in waiting)]


def _runs(steps: Sequence[Step]) -> tuple[tuple[Run, ...], bytes] | None:
    """The steps as runs, and the ids behind the last; None where a target ends elsewhere than behind its own segment."""
    runs: list[Run] = []
    before, open_ = b"", False
    for step in steps:
        borders = step.heads if isinstance(step, Segment) else [(step, b"")] if isinstance(step, Border) else []
        for border, head in borders:
            if border.kind == 2:
                if head or not open_:
                    return None
                runs[-1] = runs[-1]._replace(after=len(before))
                open_ = False
            elif border.kind == 1 and (open_ or not isinstance(step, Segment)):
                return None
        if isinstance(step, bytes):
            before += step
        elif isinstance(step, Segment):
            if open_:
                return None
            heads = [head for border, head in step.heads if border.kind < 2]
            answer = next((len(head) for border, head in step.heads if border.kind == 1), -1)
            runs.append(Run(before, step.parts, tuple(dict.fromkeys(h for h in heads if h)), answer))
            before, open_ = b"", answer >= 0
    return None if open_ else (tuple(runs), before)


def _opens(written: str, starts: frozenset[str]) -> bool:
    """Whether what the template writes ends as a control token begins: a text behind it could complete one."""
    return any(written[-size:] in starts for size in range(1, len(written) + 1))


def _segment(found: Sequence[Part | Border], pieces: Pieces, starts: frozenset[str]) -> list[Step] | None:
    """What stands between two control tokens as steps; None where a border lies behind a text, or a token across it."""
    parts: list[Part] = []
    heads: list[tuple[Border, bytes]] = []
    written: str | None = ""  # by the template; None behind the first text
    for part in found:
        if isinstance(part, Border):
            if written is None:
                return None
            heads.append((part, pieces.known([written])[written]))
            continue
        parts.append(part)
        written = written + part if written is not None and isinstance(part, str) else None
    if written is None:
        if any(isinstance(p, str) and _opens(p, starts) for p in parts):
            return None
        return [Segment(tuple(parts), tuple(heads))]
    ids = pieces.known([written])[written]
    if any(not ids.startswith(head) for _, head in heads):
        return None
    steps: list[Step] = []
    done = 0
    for border, head in heads:
        steps += [ids[done : len(head)], border]
        done = len(head)
    return [step for step in (*steps, ids[done:]) if step != b""]
