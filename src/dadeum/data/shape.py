"""Conversations to samples, a chunk at a time: what is too long, what trains nothing. Knows no other rows, and no files.

What a chunk became is numbers end to end, which an account takes as they are (`format.py`), in this process or another.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dadeum.config.data import DataSettings
from dadeum.config.purpose import Purpose
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.conversations import trainable
from dadeum.data.extras import says_more
from dadeum.data.gate import Gate
from dadeum.data.labels import Labels
from dadeum.data.render import Refusal, Renderer, Sample, TrainOn
from dadeum.data.samples import Block
from dadeum.data.seen import Flat, Seen, answers
from dadeum.data.sources import PARTS, Part
from dadeum.data.turns import last_trained
from dadeum.data.units import maker, units

Conversation = Mapping[str, Any]


class Chunk(NamedTuple):
    """Lines of `processed_conversations.json`; on the first `marked` of them the template's own marks are compared."""

    lines: list[str]
    marked: int = 0


class Overlong(NamedTuple):
    """Samples beyond `max_length`, and what became of them."""

    found: int = 0
    dropped: int = 0
    cut: int = 0
    chopped: int = 0
    longest: int = 0
    first: str = ""

    def and_then(self, other: "Overlong") -> "Overlong":
        """These, and then those."""
        found, dropped, cut, chopped = (a + b for a, b in zip(self[:4], other[:4], strict=True))
        longest = max(self.longest, other.longest)
        return Overlong(found, dropped, cut, chopped, longest, self.first or other.first)


class Shaped(NamedTuple):
    """Of each part its samples and how many rows they are of; the rows that are left out; the test's questions."""

    rows: int
    blocks: dict[Part, Block]
    kept: dict[Part, int]
    dropped: list[dict[str, Any]]
    questions: list[str]
    overlong: Overlong
    marks: list[bool]
    seen: Seen


def trained_tokens(sample: Sample) -> int:
    """Tokens that are targets: the first of a sample never is."""
    return int(np.count_nonzero(sample.weights[1:]))


def chop(sample: Sample, max_length: int) -> list[Sample]:
    """A long document in nearly equal chunks: no token is lost or doubled, its bytes are shared out by tokens."""
    count = -(-len(sample.input_ids) // max_length)
    if count == 1:
        return [sample]
    chunks: list[Sample] = []
    length, at, given = len(sample.input_ids), 0, 0
    for ids, weights in zip(
        np.array_split(sample.input_ids, count), np.array_split(sample.weights, count), strict=True
    ):
        at += len(ids)
        share = sample.answer_bytes * at // length - given
        given += share
        chunks.append(Sample(ids, weights, share))
    return chunks


def cut_front(unit: Sequence[Sample], max_length: int, bos: int | None, start: int) -> list[Sample] | None:
    """Samples of one prompt, cut at the same place so that the longest has `max_length` tokens, after the BOS if there is one.

    None where that would touch what begins at `start`, or where they are not alike before the cut.
    """
    first = unit[0].input_ids
    head = 1 if bos is not None and first[0] == bos else 0
    at = head + max(len(sample.input_ids) for sample in unit) - max_length
    # The first token of a sample is never a target.
    if at > start or (not head and at == start):
        return None
    if not all(np.array_equal(first[:at], sample.input_ids[:at]) for sample in unit[1:]):
        return None
    return [
        sample._replace(
            input_ids=np.concatenate([sample.input_ids[:head], sample.input_ids[at:]]),
            weights=np.concatenate([sample.weights[:head], sample.weights[at:]]),
        )
        for sample in unit
    ]


def question(row: Conversation, renderer: Renderer) -> dict[str, Any]:
    """A line of `test.jsonl`: the messages before the last answer and the reference, or the text."""
    extra = {
        key: row[key] for key in ("category", "group", "answers", "query", "second", "choices", "labels") if key in row
    }
    if not row["messages"]:
        return {"text": row["text"], "source_row": row["source_row"], **extra}
    last = row["messages"][-1]
    # A call of a tool is compared as the model writes it.
    reference = row.get("reference") or (renderer.answer(row["messages"]) if says_more(last) else last["content"])
    return {"messages": row["messages"][:-1], "reference": reference, "source_row": row["source_row"], **extra}


def _blocks(
    rows: Sequence[Conversation], kept: Sequence[tuple[int, Sample]], flat: Flat | None, more: bool
) -> tuple[dict[Part, Block], dict[Part, int]]:
    """The samples of each part end to end, and of how many rows they are; `more`: with targets and units."""
    if flat is None:
        return {}, {}
    lengths = np.diff(flat.starts)
    parts = np.array([PARTS.index(rows[place]["part"]) for place, _ in kept], np.int8)
    source_rows = np.array([rows[place]["source_row"] for place, _ in kept], np.int64)
    answer_bytes = np.array([sample.answer_bytes for _, sample in kept], np.int64)
    times = np.array([rows[place].get("times", 1) for place, _ in kept], np.int64)
    blocks: dict[Part, Block] = {}
    counts: dict[Part, int] = {}
    for number, part in enumerate(PARTS):
        mine = np.flatnonzero(parts == number)
        if not len(mine):
            continue
        counts[part] = len(np.unique(flat.owners[mine]))
        if (times[mine] > 1).any():
            mine = np.concatenate([np.tile(own, times[own[0]]) for own in _runs(flat.owners, mine)])
        if len(mine) == len(kept):
            ids, weights = flat.ids, flat.weights
        else:
            tokens = np.concatenate([np.arange(flat.starts[i], flat.starts[i + 1]) for i in mine])
            ids, weights = flat.ids[tokens], flat.weights[tokens]
        rest = _more([kept[int(i)][1] for i in mine]) if more else ()
        block = (ids, weights, lengths[mine].astype(np.int32), source_rows[mine], answer_bytes[mine])
        blocks[part] = Block(*block, *rest)
    return blocks, counts


def _more(samples: Sequence[Sample]) -> tuple[npt.NDArray[Any], ...]:
    """Targets end to end, how many each has, and how many sequences begin with each."""
    targets = np.concatenate([np.asarray(sample.targets, np.float32) for sample in samples])
    counts = np.array([len(sample.targets) for sample in samples], np.int32)
    return targets, counts, np.array([sample.sequences for sample in samples], np.int32)


def _runs(owners: npt.NDArray[np.int64], samples: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """The samples of each row."""
    return np.split(samples, np.flatnonzero(np.diff(owners[samples])) + 1)


class Shaper:
    """Makes samples of chunks."""

    def __init__(self, data: DataSettings, purpose: Purpose, renderer: Renderer, labels: Labels | None = None) -> None:
        """`labels`: what all rows tell of the heads, where there are any."""
        self.data, self.renderer = data, renderer
        self.purpose = purpose
        self.gate = Gate(data, purpose, renderer, labels)
        self._make = maker(purpose, renderer, data.max_length, labels)
        self._overlong = Overlong()
        self._dropped: list[tuple[int, dict[str, Any]]] = []

    def __call__(self, chunk: Chunk) -> Shaped:
        """What becomes of the rows. Raises Refusal where the template can render none."""
        self.gate.take()
        self._overlong, self._dropped = Overlong(), []
        rows = trainable(chunk.lines)
        marks = [agree for row in rows[: chunk.marked] if (agree := self._marks(row)) is not None]
        kept: list[tuple[int, Sample]] = []
        for place, samples in enumerate(self._samples(rows)):
            kept += [(place, sample) for sample in self._kept(place, rows[place], samples)]
        flat = Flat.of(kept)
        idle = self._idle(rows, flat)
        if flat is not None and idle:
            kept = [(place, sample) for place, sample in kept if place not in idle]
            flat = Flat.of(kept)
        # The answers of other rows, which KTO compares with, are no answers of theirs.
        told = [(place, s) for place, s in kept if s.sequences] if self.purpose.takes == "rated" else None
        self.gate.see(rows, flat if told is None else Flat.of(told))
        blocks, counts = _blocks(rows, kept, flat, self._make is not None)
        # An answer that is rated false is no reference.
        tested = dict.fromkeys(p for p, _ in kept if rows[p]["part"] == "test" and rows[p].get("wanted") is not False)
        return Shaped(
            len(rows),
            blocks,
            counts,
            [entry for _, entry in sorted(self._dropped, key=lambda dropped: dropped[0])],
            [json.dumps(question(rows[place], self.renderer), ensure_ascii=False) for place in tested],
            self._overlong,
            marks,
            self.gate.take(),
        )

    def _idle(self, rows: Sequence[Conversation], flat: Flat | None) -> set[int]:
        """Rows that go out because a sample of theirs has no target; the first token of a sample is made none."""
        if flat is None or self.purpose.targets:  # a head may learn of a first token, and of one alone
            return set()
        flat.weights[flat.starts[:-1]] = 0
        before = np.concatenate([[0], np.cumsum(flat.weights > 0)])
        idle = set(flat.owners[np.diff(before[flat.starts]) == 0].tolist())
        reason = say("no token of it would be trained", "학습할 토큰이 없습니다")
        for place in sorted(idle):
            self.gate.drop("nothing_trained", rows[place], reason)
            self._drop(place, rows[place], "nothing trained", reason)
        return idle

    def _train_on(self, part: Part) -> TrainOn:
        """The test part measures the answers that are generated: one sample a row, the last answer."""
        if self.purpose.pretrain:
            return "all"
        return "last_assistant" if part == "test" else self.data.train_on

    def _samples(self, rows: Sequence[Conversation]) -> list[list[Sample] | DataError]:
        if self._make is not None:
            return self._make(rows)
        found: list[list[Sample] | DataError] = [[] for _ in rows]
        by_rule: dict[TrainOn, list[int]] = {}
        for index, row in enumerate(rows):
            if row["messages"]:
                by_rule.setdefault(self._train_on(row["part"]), []).append(index)
            else:
                found[index] = [self.renderer.plain(row["text"])]
        for train_on, chosen in by_rule.items():
            rendered = self.renderer.samples_batch((rows[i]["messages"] for i in chosen), train_on)
            for index, samples in zip(chosen, rendered, strict=True):
                found[index] = samples
        return found

    def _marks(self, row: Conversation) -> bool | None:
        """Whether the template's own marks agree with what is trained; None where it has none, or the row is refused."""
        try:
            return self.renderer.marks_agree(row["messages"]) if row["messages"] else None
        except DataError:
            return None  # counted when the row is rendered

    def _kept(self, place: int, row: Conversation, samples: list[Sample] | DataError) -> list[Sample]:
        if isinstance(samples, Refusal):
            self.gate.refused(row, samples, whole=self.renderer.refusal is not None)
            self._drop(place, row, samples.condition, str(samples))
            return []
        if isinstance(samples, DataError):
            self._drop(place, row, "not rendered", str(samples))
            return []
        limit = self.data.max_length
        if all(len(sample.input_ids) <= limit for sample in samples):
            return samples
        kept: list[Sample] = []
        cut = self._overlong.cut
        for unit in units(samples):
            fitting = self._fit(place, row, unit)
            if not fitting:
                self.gate.cut(row, samples, [])
                return []
            kept += fitting
        if self._overlong.cut > cut:
            self.gate.cut(row, samples, kept)
        return kept

    def _drop(self, place: int, row: Conversation, kind: str, reason: str) -> None:
        entry = {"source_row": row["source_row"], "where": row["where"], "kind": kind, "reason": reason}
        self._dropped.append((place, entry))

    def _note(self, **what: Any) -> None:
        self._overlong = self._overlong.and_then(Overlong(**what))

    def _fit(self, place: int, row: Conversation, unit: list[Sample]) -> list[Sample]:
        length, limit = max(len(sample.input_ids) for sample in unit), self.data.max_length
        if length <= limit:
            return unit
        if self.purpose.pretrain:
            self._note(chopped=1)
            return chop(unit[0], limit)
        if self.data.overlong == "keep_answer":
            shorter = self._keep_answer(row["messages"], unit, self._train_on(row["part"]))
            if shorter is not None:
                self._note(found=1, cut=1, longest=length, first=row["where"])
                return shorter
        self._note(found=1, dropped=1, longest=length, first=row["where"])
        reason = say(f"{length} tokens, max_length is {limit}", f"{length}토큰으로 max_length {limit}보다 깁니다")
        self._drop(place, row, "overlong", reason)
        return []

    def _keep_answer(self, messages: Sequence[Any], unit: list[Sample], train_on: TrainOn) -> list[Sample] | None:
        bos, limit = self.renderer.tokenizer.bos_token_id, self.data.max_length
        if self.purpose.takes == "rated" and len(unit) > 1:  # the answer of another row is no matter of this one's
            own, other = (
                [s] if len(s.input_ids) <= limit else cut_front([s], limit, bos, int(np.argmax(s.weights > 0)))
                for s in unit
            )
            return [*own, *other] if own and other else own and [own[0]._replace(sequences=1)]
        if train_on != "all" or self._make is not None:
            whole = cut_front(unit, limit, bos, min(int(np.argmax(sample.weights > 0)) for sample in unit))
            if whole is not None or answers(unit[0]) < 2:
                return whole
        # Earlier answers do not fit: the last one stays whole, and is the only one that is trained.
        last = self.renderer.samples(last_trained(messages), "last_assistant")[:1]
        shorter = cut_front(last, limit, bos, int(np.argmax(last[0].weights > 0)))
        if shorter is not None and train_on == "all":
            return [sample._replace(weights=np.ones_like(sample.weights)) for sample in shorter]
        return shorter
