"""Conversations to samples: what is too long, what trains nothing, and the statistics of the rest."""

import itertools
import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from dadeum.config.data import DataSettings
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.data.extras import says_more
from dadeum.data.gate import Gate
from dadeum.data.render import Refusal, Renderer, Sample, TrainOn
from dadeum.data.samples import Entry
from dadeum.data.seen import Flat, answers
from dadeum.data.sources import PARTS, Part

CHUNK = 1000
# Conversations on which the template's own marks are compared with what is trained.
MARKED = 50
QUANTILES = (0.5, 0.9, 0.99)
Conversation = Mapping[str, Any]


@dataclass
class Tally:
    """Counts of one part."""

    rows: int = 0
    trained: int = 0
    answer_bytes: int = 0
    lengths: "array[int]" = field(default_factory=lambda: array("i"))

    def add(self, sample: Sample) -> None:
        """Count a sample that is kept."""
        self.lengths.append(len(sample.input_ids))
        self.trained += trained_tokens(sample)
        self.answer_bytes += sample.answer_bytes

    def facts(self) -> dict[str, Any]:
        """What `statistics.json` says of the part."""
        tokens = sum(self.lengths)
        quantiles = np.quantile(self.lengths, QUANTILES) if self.lengths else [0.0] * len(QUANTILES)
        return {
            "rows": self.rows,
            "samples": len(self.lengths),
            "tokens": tokens,
            "trained_tokens": self.trained,
            "trained_share": round(self.trained / tokens, 6) if tokens else 0.0,
            "answer_bytes": self.answer_bytes,
            "shortest": min(self.lengths, default=0),
            "longest": max(self.lengths, default=0),
            "length_quantiles": {f"{q:g}": float(value) for q, value in zip(QUANTILES, quantiles, strict=True)},
        }


@dataclass
class Overlong:
    """Samples beyond `max_length`, and what became of them."""

    found: int = 0
    dropped: int = 0
    cut: int = 0
    chopped: int = 0
    longest: int = 0
    first: str = ""

    def see(self, where: str, length: int) -> None:
        """One more of them."""
        self.found += 1
        self.first = self.first or where
        self.longest = max(self.longest, length)


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


def cut_front(sample: Sample, max_length: int, bos: int | None, start: int) -> Sample | None:
    """The last `max_length` tokens, after the BOS if there is one; None where that would touch what begins at `start`."""
    head = 1 if bos is not None and sample.input_ids[0] == bos else 0
    at = len(sample.input_ids) - (max_length - head)
    # The first token of a sample is never a target.
    if at > start or (not head and at == start):
        return None
    ids = np.concatenate([sample.input_ids[:head], sample.input_ids[at:]])
    weights = np.concatenate([sample.weights[:head], sample.weights[at:]])
    return Sample(ids, weights, sample.answer_bytes)


class Formatter:
    """Makes samples of rows and keeps the account of what it leaves out."""

    def __init__(
        self,
        data: DataSettings,
        objective: str,
        renderer: Renderer,
        reporter: Reporter,
        questions: IO[str] | None = None,
        faulty: IO[str] | None = None,
    ) -> None:
        """Rows of the test part that are kept are written to `questions`, rows that are left out to `faulty`."""
        self.data = data
        self.pretrain = objective == "pretrain"
        self.renderer = renderer
        self.reporter = reporter
        self.questions, self.faulty = questions, faulty
        self.tallies: dict[str, Tally] = {part: Tally() for part in PARTS}
        self.overlong = Overlong()
        self.dropped: Counter[str] = Counter()
        self.first_faulty: dict[str, Any] | None = None
        self.marks: list[bool] = []
        self.gate = Gate(data, objective, renderer)
        self.done = 0

    def entries(self, conversations: Iterable[Conversation]) -> Iterator[tuple[Part, Entry]]:
        """Samples with their parts, in the order of the rows."""
        for chunk in batched(conversations, CHUNK):
            made: list[tuple[int, Sample]] = []
            for index, (row, samples) in enumerate(zip(chunk, self._samples(chunk), strict=True)):
                part: Part = row["part"]
                kept = self._kept(row, samples, self._train_on(part))
                made += [(index, sample) for sample in kept]
                kept *= row.get("times", 1)
                tally = self.tallies[part]
                tally.rows += bool(kept)
                for sample in kept:
                    tally.add(sample)
                    yield part, Entry(sample.input_ids, sample.weights, row["source_row"], sample.answer_bytes)
                if kept and part == "test" and self.questions is not None:
                    self.questions.write(json.dumps(question(row, self.renderer), ensure_ascii=False) + "\n")
            self.gate.see(chunk, Flat.of(made))
            self.done += len(chunk)
            self.reporter.advance(self.done, dropped=self.dropped.total())

    def _train_on(self, part: Part) -> TrainOn:
        """The test part measures the answers that are generated: one sample a row, the last answer."""
        if self.pretrain:
            return "all"
        return "last_assistant" if part == "test" else self.data.train_on

    def _samples(self, chunk: Sequence[Conversation]) -> list[list[Sample] | DataError]:
        talks = [row["messages"] for row in chunk if row["messages"]]
        for messages in talks[: max(0, MARKED - len(self.marks))]:
            self._compare_marks(messages)
        found: list[list[Sample] | DataError] = [[] for _ in chunk]
        by_rule: dict[TrainOn, list[int]] = {}
        for index, row in enumerate(chunk):
            if row["messages"]:
                by_rule.setdefault(self._train_on(row["part"]), []).append(index)
            else:
                found[index] = [self.renderer.plain(row["text"])]
        for train_on, chosen in by_rule.items():
            rendered = self.renderer.samples_batch((chunk[i]["messages"] for i in chosen), train_on)
            for index, samples in zip(chosen, rendered, strict=True):
                found[index] = samples
        return found

    def _compare_marks(self, messages: Sequence[Mapping[str, str]]) -> None:
        try:
            agree = self.renderer.marks_agree(messages)
        except DataError:
            return  # counted when the row is rendered
        if agree is not None:
            self.marks.append(agree)

    def _kept(self, row: Conversation, samples: list[Sample] | DataError, train_on: TrainOn) -> list[Sample]:
        if isinstance(samples, Refusal):
            self.gate.refused(row, samples, whole=self.renderer.refusal is not None)
            self._drop(row, samples.condition, str(samples))
            return []
        if isinstance(samples, DataError):
            self._drop(row, "not rendered", str(samples))
            return []
        kept: list[Sample] = []
        cut = self.overlong.cut
        for sample in samples:
            fitting = self._fit(row, sample, train_on)
            if not fitting:
                self.gate.cut(row, samples, [])
                return []
            kept += fitting
        if self.overlong.cut > cut:
            self.gate.cut(row, samples, kept)
        for sample in kept:
            sample.weights[0] = 0
            if not trained_tokens(sample):
                reason = say("no token of it would be trained", "학습할 토큰이 없습니다")
                self.gate.drop("nothing_trained", row, reason)
                self._drop(row, "nothing trained", reason)
                return []
        return kept

    def _drop(self, row: Conversation, kind: str, reason: str) -> None:
        entry = {"source_row": row["source_row"], "where": row["where"], "kind": kind, "reason": reason}
        self.dropped[kind] += 1
        if kind == "not rendered":  # the rest is the gate's to judge, or that of data.overlong
            self.first_faulty = self.first_faulty or entry
        if self.faulty is not None:
            self.faulty.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def _fit(self, row: Conversation, sample: Sample, train_on: TrainOn) -> list[Sample]:
        length, limit = len(sample.input_ids), self.data.max_length
        if length <= limit:
            return [sample]
        if self.pretrain:
            self.overlong.chopped += 1
            return chop(sample, limit)
        self.overlong.see(row["where"], length)
        if self.data.overlong == "keep_answer":
            shorter = self._keep_answer(row["messages"], sample, train_on)
            if shorter is not None:
                self.overlong.cut += 1
                return [shorter]
        self.overlong.dropped += 1
        reason = say(f"{length} tokens, max_length is {limit}", f"{length}토큰으로 max_length {limit}보다 깁니다")
        self._drop(row, "overlong", reason)
        return []

    def _keep_answer(self, messages: Sequence[Any], sample: Sample, train_on: TrainOn) -> Sample | None:
        bos, limit = self.renderer.tokenizer.bos_token_id, self.data.max_length
        if train_on != "all":
            whole = cut_front(sample, limit, bos, int(np.argmax(sample.weights > 0)))
            if whole is not None or answers(sample) < 2:
                return whole
        # Earlier answers do not fit: the last one stays whole, and is the only one that is trained.
        last = self.renderer.samples(messages, "last_assistant")[0]
        shorter = cut_front(last, limit, bos, int(np.argmax(last.weights > 0)))
        if shorter is not None and train_on == "all":
            return Sample(shorter.input_ids, np.ones_like(shorter.weights), shorter.answer_bytes)
        return shorter

    def refuse_overlong(self) -> None:
        """Raises DataError where samples were too long and `data.overlong` is `error`."""
        if self.data.overlong != "error" or not self.overlong.found:
            return
        limit, found = self.data.max_length, self.overlong
        raise DataError(
            say(
                f"{found.found} samples are longer than data.max_length={limit}, first {found.first}, longest {found.longest} tokens; "
                f"set data.max_length={found.longest}, or data.overlong=drop or keep_answer",
                f"샘플 {found.found}개가 data.max_length={limit}보다 깁니다. 처음은 {found.first}, 가장 긴 것은 {found.longest}토큰입니다. "
                f"data.max_length={found.longest}로 늘리거나 data.overlong=drop 또는 keep_answer를 쓰세요",
            )
        )

    def statistics(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """What `statistics.json` holds; `report` is that of the stage before."""
        total = Tally(
            sum(t.rows for t in self.tallies.values()),
            sum(t.trained for t in self.tallies.values()),
            sum(t.answer_bytes for t in self.tallies.values()),
            array("i", itertools.chain.from_iterable(t.lengths for t in self.tallies.values())),
        )
        found = self.overlong
        return {
            "parts": {part: tally.facts() for part, tally in self.tallies.items()},
            "total": total.facts(),
            "max_length": self.data.max_length,
            "overlong": {
                "policy": "chop" if self.pretrain else self.data.overlong,
                "found": found.found,
                "dropped": found.dropped,
                "cut": found.cut,
                "chopped": found.chopped,
            },
            "rows_read": report["read"],
            "dropped_before": report["dropped"],
            "dropped": dict(sorted(self.dropped.items())),
            "marks": {"compared": len(self.marks), "agree": sum(self.marks)} if self.marks else None,
        }


def question(row: Conversation, renderer: Renderer) -> dict[str, Any]:
    """A line of `test.jsonl`: the messages before the last answer and the reference, or the text."""
    extra = {key: row[key] for key in ("category", "query") if key in row}
    if not row["messages"]:
        return {"text": row["text"], "source_row": row["source_row"], **extra}
    last = row["messages"][-1]
    # A call of a tool is compared as the model writes it.
    reference = row.get("reference") or (renderer.answer(row["messages"]) if says_more(last) else last["content"])
    return {"messages": row["messages"][:-1], "reference": reference, "source_row": row["source_row"], **extra}


def batched(rows: Iterable[Conversation], size: int) -> Iterator[list[Conversation]]:
    """The rows in lists of at most `size`."""
    waiting = iter(rows)
    while chunk := list(itertools.islice(waiting, size)):
        yield chunk
