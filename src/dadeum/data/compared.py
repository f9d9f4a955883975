"""Rows held against each other: duplicates, questions with several answers, answers that come again, twins across parts.

Of each row a few digests and a number are kept; its place and how it begins go to a file and are read back for the few
rows that are shown.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

import numpy as np

from dadeum.config.data import DataSettings
from dadeum.core.errors import DataError
from dadeum.data.columns import ends, short
from dadeum.data.formats import Conversation
from dadeum.data.keys import SIZE, Column, Groups, keys
from dadeum.data.mixture import Mixture, Origins, mix, mixed
from dadeum.data.sources import PARTS, Part
from dadeum.data.split import NONE, Numbers, extra, number, split, twins

SHOWN = 3  # examples of each finding
TWICE = 2


class Compared:
    """The keys of all rows."""

    def __init__(self, spool: IO[str], seed: int) -> None:
        self.spool, self.seed = spool, seed
        self.prompts, self.exact, self.loose, self.answers, self.ids = (Column() for _ in range(5))
        self._pinned = bytearray()
        self.labelled = False
        self.undrawable: str | None = None  # why the mixture cannot be drawn

    def __len__(self) -> int:
        return len(self.prompts)

    def add(self, row: Conversation, where: str, part: Part | None, id_key: bytes) -> None:
        """The next row."""
        begins = [_begins(row), short(row.messages[-1].get("content") or "") if row.messages else _labels(row)]
        self.spool.write(json.dumps([where, *begins]) + "\n")
        found = keys(row, self.seed)
        answer = found.answer
        if row.labels and row.text is not None:
            self.labelled = True
            said = json.dumps(row.labels, sort_keys=True, default=str)
            answer = hashlib.sha256(said.encode()).digest()[:SIZE]
        self.prompts.add(found.prompt)
        self.exact.add(found.exact)
        self.loose.add(found.loose)
        self.answers.add(answer)
        self.ids.add(id_key)
        self._pinned.append(number(part) % 256)

    @property
    def pins(self) -> Numbers:
        """The part that each row is pinned to."""
        return np.frombuffer(bytes(self._pinned), np.int8)

    def facts(self, data: DataSettings, origins: Origins | None = None) -> dict[str, Any]:
        """All that comes of comparing them; `origins` tells of which source each is."""
        wanted: dict[str, list[list[int]]] = {}
        exact, loose = self.exact.groups(), self.loose.groups()
        with_id = self.ids.present
        ids = self.ids.groups(with_id)
        found: dict[str, Any] = {
            "duplicates": {"exact": exact.repeats, "normalised": loose.repeats, "ids": ids.repeats},
            "repeated_questions": self.prompts.groups().repeats,
        }
        wanted["duplicates"] = _largest(loose, np.arange(len(self)))
        wanted["ids"] = _largest(ids, np.flatnonzero(with_id))
        found |= self._several(wanted)
        found |= self._repeated(wanted)
        found |= self._parts(data, origins, wanted)
        found["examples"] = self._read_back(wanted)
        return found

    def _several(self, wanted: dict[str, list[list[int]]]) -> dict[str, Any]:
        """Questions that are answered in several ways."""
        rows = np.flatnonzero(self.answers.present)
        prompts, answers = self.prompts.groups(self.answers.present), self.answers.groups(self.answers.present)
        count = max(1, len(answers.sizes))
        ways = np.bincount(np.unique(prompts.of_row * count + answers.of_row) // count, minlength=1)
        several = np.flatnonzero(ways >= TWICE)
        chosen = np.isin(prompts.of_row, several)
        order = several[np.argsort(-ways[several], kind="stable")][:SHOWN]
        wanted["several_answers"] = [rows[prompts.of_row == group][:SHOWN].tolist() for group in order]
        return {"several_answers": {"questions": len(several), "rows": int(chosen.sum()), "labels": self.labelled}}

    def _repeated(self, wanted: dict[str, list[list[int]]]) -> dict[str, Any]:
        """Answers that stand in several rows."""
        rows = np.flatnonzero(self.answers.present)
        answers = self.answers.groups(self.answers.present)
        if self.labelled or not len(rows):
            wanted["repeated_answers"] = []
            return {"repeated_answers": {"rows": 0, "most": 0}}
        wanted["repeated_answers"] = _largest(answers, rows)
        return {"repeated_answers": {"rows": answers.repeats, "most": int(answers.sizes.max())}}

    def _parts(self, data: DataSettings, origins: Origins | None, wanted: dict[str, list[list[int]]]) -> dict[str, Any]:
        """How a run would part these rows, and twins that stand in several of the parts that sources name."""
        pins = self.pins
        left = np.ones(len(self), np.bool_)
        compared: Mapping[str, Column] = {"drop_exact": self.exact, "drop_normalised": self.loose}
        if data.duplicates in compared and len(self):
            left[list(extra(compared[data.duplicates].groups(), pins))] = False
        prompts = self.prompts.groups(left)
        made = split(prompts, pins[left], data.split)
        parts = np.full(len(self), NONE, np.int8)
        parts[left] = made.parts
        empty, mixture = list(made.empty), self._drawn(data, origins, parts)
        if mixture is not None:
            parts[mixture.out] = NONE
            empty += mixture.emptied
        self.parts: Numbers = parts
        self.times = np.ones(len(self), np.int64) if mixture is None else mixture.times
        rows = np.flatnonzero(left)
        leaks, examples = {}, []
        for lesser in PARTS:
            for owner in PARTS:
                gone = (pins[left] == number(lesser)) & (made.twin_of == number(owner))
                if lesser != owner and gone.any():
                    leaks[f"{lesser} in {owner}"] = int(gone.sum())
                    first = int(np.flatnonzero(gone)[0])
                    twin = (prompts.of_row == prompts.of_row[first]) & (made.parts == number(owner))
                    examples.append([int(rows[first]), int(rows[np.flatnonzero(twin)[0]])])
        wanted["leaks"] = examples
        return {
            "parts": {part: int((parts == number(part)).sum()) for part in PARTS},
            "pinned": int((pins != NONE).sum()),
            "leaks": leaks,
            "twins": twins(prompts, parts[left]),
            "dropped_duplicates": int((~left).sum()),
            "empty_parts": empty,
            "mixture": [] if mixture is None else mixture.facts,
            "not_drawn": 0 if mixture is None else int(mixture.out.sum()),
        }

    def _drawn(self, data: DataSettings, origins: Origins | None, parts: Numbers) -> Mixture | None:
        if origins is None or not mixed(data):
            return None
        try:
            return mix(data, origins, parts, self.pins, self.exact)
        except DataError as error:
            self.undrawable = str(error)
            return None

    def _read_back(self, wanted: Mapping[str, list[list[int]]]) -> dict[str, list[list[dict[str, str]]]]:
        """The rows that are shown: place, how the question and the answer begin."""
        chosen = {row for groups in wanted.values() for group in groups for row in group}
        found: dict[int, dict[str, str]] = {}
        self.spool.flush()
        self.spool.seek(0)
        for row, line in enumerate(self.spool if chosen else ()):
            if row in chosen:
                where, question, answer = json.loads(line)
                found[row] = {"where": where, "question": question, "answer": answer}
        return {name: [[found[row] for row in group] for group in groups] for name, groups in wanted.items()}


def _begins(row: Conversation) -> str:
    if row.text is not None:
        return ends(row.text if row.second is None else f"{row.text} | {row.second}")
    asked: Iterable[str] = (m.get("content") or "" for m in reversed(row.messages[:-1]) if m["role"] == "user")
    return ends(row.query or next(iter(asked), ""))


def _labels(row: Conversation) -> str:
    return short(", ".join(f"{name}={value}" for name, value in row.labels.items()))


def _largest(groups: Groups, rows: Any) -> list[list[int]]:
    """The first rows of the largest groups that have more than one; of equal ones that which begins first."""
    several = np.flatnonzero(groups.sizes >= TWICE)
    if not len(several):
        return []
    first = np.full(len(groups.sizes), len(groups.of_row), np.int64)
    np.minimum.at(first, groups.of_row, np.arange(len(groups.of_row)))
    order = several[np.lexsort((first[several], -groups.sizes[several]))][:SHOWN]
    return [rows[np.flatnonzero(groups.of_row == group)[:SHOWN]].tolist() for group in order]
