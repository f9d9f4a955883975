"""The gate: what finished samples must not be. It looks at ids and weights on their way to disk, not at the code that made them.

`see` takes a chunk of samples as flat arrays and keeps a few numbers of each (`seen.py`); what gates of other processes take is
merged; before the first step of training `refuse` judges it all (`verdict.py`). A condition that `data.allow` names becomes a warning.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dadeum.config.data import DataSettings
from dadeum.config.purpose import Purpose
from dadeum.core.errors import DadeumError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.data.frames import CONTROL, frames
from dadeum.data.labels import Labels
from dadeum.data.render import Refusal, Renderer, Sample
from dadeum.data.seen import ASKED, Asked, First, Flat, Hashes, Ints, Row, Seen, Suspect, answers
from dadeum.data.sources import PARTS
from dadeum.data.turns import strings

# Rows of a chunk that are asked again; suspects that are looked into; harmless patterns that are remembered.
A_CHUNK, SUSPECTS, CLEARED = 4, 200, 100_000
CONTROL_BIT, STOP_BIT, BOS_BIT = 1, 2, 4
NUMBERS = {part: number for number, part in enumerate(PARTS)}
Places = Callable[[set[int]], Mapping[int, str]]


class _Told(NamedTuple):
    """Of each row of a chunk: how many messages, its number in reading order, its part."""

    messages: Ints
    numbers: Ints
    parts: Ints

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "_Told":
        messages = [len(row["messages"]) for row in rows]
        numbers, parts = [row["source_row"] for row in rows], [NUMBERS[row["part"]] for row in rows]
        return cls(np.array(messages, np.int64), np.array(numbers, np.int64), np.array(parts, np.int64))


@dataclass(frozen=True)
class Marks:
    """What the ids of a tokenizer mean: a byte of bits for each, the control strings, and numbers to compare ids by."""

    bits: npt.NDArray[np.uint8]
    control: re.Pattern[str]
    keys: Hashes
    bos: int | None
    stops: tuple[int, ...]

    @classmethod
    def of(cls, renderer: Renderer) -> "Marks":
        """The marks of the renderer's tokenizer under its template."""
        tokenizer, stops = renderer.tokenizer, renderer.stop_ids
        names = {i: token.content for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        names |= _unmarked(renderer)
        unknown = tokenizer.unk_token_id
        if unknown not in (*stops, tokenizer.bos_token_id):
            names.pop(unknown, None)
        size = 1 + max([len(tokenizer), *tokenizer.added_tokens_decoder])
        bits = np.zeros(size, np.uint8)
        bits[list(names)] |= CONTROL_BIT
        bits[list(stops)] |= STOP_BIT
        bos: int | None = tokenizer.bos_token_id
        if bos is not None:
            bits[bos] |= BOS_BIT
        longest_first = sorted(names.values(), key=len, reverse=True)
        keys = np.random.default_rng(1).integers(1, 2**64, size, np.uint64)
        return cls(bits, re.compile("|".join(map(re.escape, longest_first)) or "(?!)"), keys, bos, stops)


def _unmarked(renderer: Renderer) -> dict[int, str]:
    """Added tokens that frame the turns of a conversation and are not marked as special: text can make them."""
    tokenizer = renderer.tokenizer
    added = {i: t.content for i, t in tokenizer.added_tokens_decoder.items() if not t.special and t.content.strip()}
    if not added or not tokenizer.chat_template:
        return {}
    try:
        found = frames(renderer.template, [t.content for t in tokenizer.added_tokens_decoder.values()])
    except DadeumError:
        return {}
    around = "".join(found.get(place, "") for place in ("start", "system", "user", "after_answer"))
    before = found.get("before_answer", "") + found.get(
        "generation_prompt", ""
    )  # may hold <think>, which answers hold too
    return {i: name for i, name in added.items() if name in around or (name in before and CONTROL.fullmatch(name))}


class Gate:
    """Sees samples, and says what must not be trained. Holds no tokenizer: it may go from process to process."""

    def __init__(self, data: DataSettings, purpose: Purpose, renderer: Renderer, labels: Labels | None = None) -> None:
        self.labels = labels
        self.data, self.pretrain, self._answers = data, purpose.pretrain, purpose.pretrain or purpose.talks
        self.compares = purpose.takes in ("pair", "rated")
        self.marks = Marks.of(renderer)
        self.seen = Seen()
        self.head = None if data.system_prompt is None else unicodedata.normalize("NFC", data.system_prompt)
        self._cleared: set[int] = set()
        self._powers, self._inverse = np.ones(1, np.uint64), np.ones(1, np.uint64)

    def take(self) -> Seen:
        """What was seen since the last time, for the gate of another process to merge."""
        taken, self.seen = self.seen, Seen()
        return taken

    def merge(self, seen: Seen) -> None:
        """What a gate of the same settings took."""
        self.seen.merge(seen)

    def drop(self, condition: str, row: Row, reason: str) -> None:
        """A row goes out for a condition."""
        self.seen.note(condition, 1, First(row["source_row"], row["where"], reason))

    def refused(self, row: Row, refusal: Refusal, *, whole: bool) -> None:
        """The template cannot render this row; `whole`: it can render none, and that is an error at once."""
        if not refusal.condition:
            raise refusal
        if whole:
            name, where = refusal.condition, row["where"]
            raise Refusal(
                say(
                    f"{name}: no row can be trained, first {where}: {refusal}",
                    f"{name}: 학습할 수 있는 행이 없습니다. 첫 행 {where}: {refusal}",
                ),
                name,
            )
        self.drop(refusal.condition, row, str(refusal))

    def cut(self, row: Row, samples: Sequence[Sample], kept: Sequence[Sample]) -> None:
        """A row was too long: answers that stood in `samples` and not in `kept` are lost."""
        if self.data.overlong == "error" or not self._answers:  # the stage stops for them all; labels are no answers
            return
        lost = sum(map(answers, samples)) - sum(map(answers, kept))
        self.seen.longest = max([self.seen.longest, *(len(sample.input_ids) for sample in samples)])
        self.seen.lost += lost
        if lost:
            self.drop("cut_answers", row, "")

    def see(self, rows: Sequence[Row], flat: Flat | None) -> None:
        """A chunk of rows and the samples that were made of them, in their order."""
        self.seen.rows += len(rows)
        if flat is None:
            return
        trained = flat.weights > 0
        trained[flat.starts[:-1]] = False  # the first token of a sample is never a target
        edges = np.flatnonzero(trained[1:] != trained[:-1]) + 1
        begins = edges[trained[edges]]
        ends = edges[~trained[edges]]
        if len(ends) < len(begins):
            ends = np.append(ends, len(trained))
        first = np.searchsorted(begins, flat.starts)  # of each sample its first run of trained tokens
        self.seen.samples += len(flat.owners)
        if not self._answers:  # labels are learnt: there is no answer, and no prompt
            return
        self.seen.answers += len(begins)
        self._flag("nothing_trained", rows, flat.owners[first[1:] == first[:-1]])
        last = np.append(flat.owners[1:] != flat.owners[:-1], True)  # of each row its last sample
        self._see_ends(rows, flat, ends, last)
        told = _Told.of(rows)
        self._see_control(rows, told, flat)
        # A prompt is what stands before the last run; where all is trained, the whole sample is compared.
        until = flat.starts[1:]
        if not self.pretrain and self.data.train_on != "all":
            some = first[1:] > first[:-1]
            until = np.where(some, begins[np.maximum(first[1:] - 1, 0)], until) if len(begins) else until
        self._see_prompts(told, flat, until, last)
        self._see_asked(rows, flat)
        self._see_heads(rows, told)

    def _flag(self, condition: str, rows: Sequence[Row], owners: Ints, detail: str = "") -> None:
        if len(owners):
            bad = np.unique(owners)
            row = rows[int(bad[0])]
            self.seen.note(condition, len(bad), First(row["source_row"], row["where"], detail))

    def _see_ends(self, rows: Sequence[Row], flat: Flat, ends: Ints, last: npt.NDArray[np.bool_]) -> None:
        """Every answer ends with a token at which generation stops; of a document in chunks only the last."""
        at = flat.starts[1:][last] if self.pretrain else ends
        wrong = at[self.marks.bits[flat.ids[at - 1]] & STOP_BIT == 0]
        if len(wrong):
            owners = flat.owners[np.searchsorted(flat.starts, wrong - 1, "right") - 1]
            self._flag("untrained_end_token", rows, owners, str(int(flat.ids[wrong[0] - 1])))

    def _see_control(self, rows: Sequence[Row], told: "_Told", flat: Flat) -> None:
        """Doubled BOS; and of each new pattern of control ids one row, whether its text may have made some of them."""
        bits = self.marks.bits[flat.ids]
        at = np.flatnonzero(bits != 0)
        ids = flat.ids[at]
        borders = np.searchsorted(at, flat.starts)
        bos = self.marks.bos
        if bos is not None:
            pairs = np.flatnonzero((ids[1:] == bos) & (ids[:-1] == bos) & (np.diff(at) == 1))
            owners = np.searchsorted(flat.starts, at[pairs], "right") - 1
            inside = at[pairs] + 1 < flat.starts[owners + 1]
            if bos in self.marks.stops:  # it ends a turn as well: two stand side by side by right, but not at the start
                inside &= at[pairs] == flat.starts[owners]
            self._flag("doubled_bos", rows, flat.owners[owners[inside]])
        chosen = bits[at] & CONTROL_BIT != 0
        ids, borders = ids[chosen], np.concatenate([[0], np.cumsum(chosen)])[borders]
        new = np.flatnonzero(np.append(True, flat.owners[1:] != flat.owners[:-1]))  # of each row its first sample
        begins, ends = borders[new], borders[np.append(new[1:], len(flat.owners))]
        owners = flat.owners[new]
        keys = self._segments(self.marks.keys[ids], begins, ends)
        keys += told.messages[owners].astype(np.uint64)
        for key, place, count in zip(*np.unique(keys, return_index=True, return_counts=True), strict=True):
            number, row = int(key), rows[int(owners[place])]
            if number in self._cleared:
                continue
            if number not in self.seen.suspects:
                if not self._suspect(row) or len(self.seen.suspects) >= SUSPECTS:
                    self._clear(number)
                    continue
                made = Counter(ids[begins[place] : ends[place]].tolist())
                self.seen.suspects[number] = Suspect(_first(row), row, made)
            self.seen.suspects[number].rows += int(count)

    def _clear(self, key: int) -> None:
        if len(self._cleared) >= CLEARED:
            self._cleared = set()
        self._cleared.add(key)

    def _suspect(self, row: Row) -> bool:
        talk = [*row["messages"], *row.get("rejected", ())]
        texts: Iterable[str] = strings(talk) if talk else [row["text"]]
        return any(self.marks.control.search(text) for text in texts)

    def _see_prompts(self, told: "_Told", flat: Flat, until: Ints, last: npt.NDArray[np.bool_]) -> None:
        whole = last if not self.pretrain else np.ones_like(last)
        found = self._segments(self.marks.keys[flat.ids], flat.starts[:-1], until)[whole]
        numbers, parts = told.numbers[flat.owners[whole]], told.parts[flat.owners[whole]]
        for number, part in enumerate(PARTS):
            mine = parts == number
            if mine.any():
                self.seen.prompts[part].append((found[mine], numbers[mine]))

    def _segments(self, values: Hashes, starts: Ints, ends: Ints) -> Hashes:
        """A number for each segment of `values`, the same for the same values wherever the segment stands."""
        size = len(values) + 1
        if len(self._powers) < size:
            base = np.full(2 * size, 0x9E3779B97F4A7C15, np.uint64)
            back = np.full(2 * size, pow(0x9E3779B97F4A7C15, -1, 2**64), np.uint64)
            base[0] = back[0] = 1
            self._powers, self._inverse = np.multiply.accumulate(base), np.multiply.accumulate(back)
        sums = np.zeros(size, np.uint64)
        np.cumsum(values * self._powers[: size - 1], out=sums[1:])
        found: Hashes = (sums[ends] - sums[starts]) * self._inverse[starts]
        return found

    def _see_asked(self, rows: Sequence[Row], flat: Flat) -> None:
        """Keep a few rows of the chunk that were not cut, to be asked again."""
        if len(self.seen.asked) >= ASKED:
            return
        for owner in np.unique(flat.owners[:: max(1, len(flat.owners) // A_CHUNK)])[:A_CHUNK].tolist():
            own = np.flatnonzero(flat.owners == owner)
            begin, end = flat.starts[own[0] if self.pretrain else own[-1]], flat.starts[own[-1] + 1]
            longest = max(np.diff(flat.starts)[own])  # samples of one row may be cut together
            if self.pretrain or longest < self.data.max_length:
                self.seen.asked.append(Asked(_first(rows[owner]), rows[owner], flat.ids[begin:end].copy()))

    def _see_heads(self, rows: Sequence[Row], told: "_Told") -> None:
        """Which system messages the training rows begin with, until one is found that begins a question as well."""
        training = (told.parts == NUMBERS["train"]) & (told.messages > 0)
        self.seen.talks += int(np.count_nonzero(training))
        if len(self.seen.heads) < 2 and self.head not in self.seen.heads:
            for index in np.flatnonzero(training).tolist():
                opening = rows[index]["messages"][0]
                head = opening.get("content") if opening["role"] == "system" else None
                if head not in self.seen.heads:
                    self.seen.heads[head] = _first(rows[index])

    def refuse(self, renderer: Renderer, places: Places, reporter: Reporter, prompt: Path | None) -> dict[str, Any]:
        """What the artifact says of the gate. Raises DataError for what was found and is not allowed.

        `prompt` is the saved prompt folder, with which rows are asked again; `places` gives `file:line` of rows by number.
        """
        from dadeum.data.verdict import judge, pass_or_refuse

        return pass_or_refuse(self, judge(self, renderer, places, prompt), reporter)


def _first(row: Row) -> First:
    return First(row["source_row"], row["where"])
