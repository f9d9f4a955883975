"""Which rows `dadeum data show` shows, read from the folders of the data stages, with what must be known of them."""

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dadeum.config.data import DataSettings
from dadeum.config.purpose import Purpose
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.contract import PromptContract
from dadeum.data.conversations import read_conversations
from dadeum.data.labelled import Labelled, Texts
from dadeum.data.labels import Labels
from dadeum.data.samples import Entry, Samples
from dadeum.data.show import Painted, Painter, Row, draw, notable
from dadeum.data.sources import PARTS, Part
from dadeum.data.step import CONVERSATIONS, FAULTY, PROMPT
from dadeum.tokenizer.load import load_tokenizer

LISTED = 5


@dataclass(frozen=True)
class Shown:
    """A row that was chosen, why, and its samples."""

    row: Row
    why: str
    samples: Sequence[Painted]


@dataclass(frozen=True)
class Exhibit:
    """What is shown, and the facts that stand above it."""

    name: str
    slug: str  # tells this choice from others in a file's name
    trains: bool  # else its rows only measure
    facts: Mapping[str, str]
    notes: Sequence[str]
    shown: Sequence[Shown]

    @property
    def target(self) -> str:
        """What a painted token is, in a word."""
        return say("trained", "학습") if self.trains else say("measured", "평가")


def read_rows(preprocessed: Path) -> Iterator[Row]:
    """The conversations, in the order of reading. The only place here that knows how they lie on disk."""
    return read_conversations(preprocessed / CONVERSATIONS)


@dataclass(frozen=True)
class Cabinet:
    """The two folders of a formatted experiment."""

    name: str
    data: DataSettings
    purpose: Purpose
    preprocessed: Path
    formatted: Path

    def choose(self, part: Part, count: int) -> Exhibit:
        """A fixed spread of rows of the part. Raises DataError where it has none."""
        samples = self._samples(part)
        why = dict(list(notable(samples.source_rows, samples.lengths).items())[:count])
        found: dict[int, Row] = {}
        sizes: Counter[str] = Counter()
        numbers = array("q")

        def of_part() -> Iterator[Row]:
            for row in read_rows(self.preprocessed):
                sizes[row["part"]] += 1
                if row["part"] != part:
                    continue
                numbers.append(row["source_row"])
                if row["source_row"] in why:
                    found[row["source_row"]] = row
                else:
                    yield row

        drawn = [(row, say("drawn by hash", "해시로 뽑은 행")) for row in draw(of_part(), count)][: count - len(why)]
        if not numbers:
            raise self._empty(part, sizes)
        chosen = [*((found[number], said) for number, said in why.items() if number in found), *drawn]
        how = say(
            "the first, the longest, the shortest, then by hash: the same ones each time",
            "첫 행, 가장 긴 행, 가장 짧은 행, 그다음은 해시 순서. 언제나 같습니다",
        )
        notes = _lost_note(np.setdiff1d(numbers, samples.source_rows).tolist())
        total = say(f"{len(chosen)} of {len(numbers):,} rows", f"{len(numbers):,}행 가운데 {len(chosen)}행")
        return self._exhibit(part, part, chosen, {say("shown", "보인 행"): f"{total} ({how})"}, notes)

    def row(self, number: str) -> Exhibit:
        """One row, by its number in reading order or its place. Raises DataError where it is not there."""
        first, last = "", 0
        for row in read_rows(self.preprocessed):
            if number in (str(row["source_row"]), row["where"]):
                shown = {say("shown", "보인 행"): row["where"]}
                why = say("asked for", "고른 행")
                return self._exhibit(f"row-{row['source_row']}", row["part"], [(row, why)], shown, [])
            first, last = first or row["where"], row["source_row"]
        raise self._absent(number, first, last)

    def _empty(self, part: Part, sizes: Mapping[str, int]) -> DataError:
        there = ", ".join(f"{name} {sizes[name]:,}" for name in PARTS)
        return DataError(
            say(
                f"{self.name}: the part '{part}' has no rows ({there}); choose another --part, or set data.split",
                f"{self.name}: '{part}' 부분에 행이 없습니다 ({there}). 다른 --part를 고르거나 data.split을 바꾸세요",
            )
        )

    def _absent(self, number: str, first: str, last: int) -> DataError:
        for entry in _lines(self.preprocessed / FAULTY):
            if number in (str(entry["source_row"]), entry["where"]):
                return DataError(
                    say(
                        f"{entry['where']}: this row was left out, {entry['kind']}: {entry['reason']}",
                        f"{entry['where']}: 이 행은 빠졌습니다. {entry['kind']}: {entry['reason']}",
                    )
                )
        return DataError(
            say(
                f"--row: found '{number}', expected a number from 0 to {last}, or a place such as {first}",
                f"--row: '{number}'은(는) 없습니다. 0부터 {last}까지의 번호나 {first} 같은 자리를 쓰세요",
            )
        )

    def _exhibit(
        self, slug: str, part: Part, chosen: Sequence[tuple[Row, str]], more: Mapping[str, str], notes: Sequence[str]
    ) -> Exhibit:
        folder = self.formatted / PROMPT
        contract = PromptContract.load(folder)
        pretrain = self.purpose.pretrain
        # As the format stage renders: the test part measures the last answer.
        last = part == "test" or self.purpose.takes in ("pair", "rated")
        train_on = "all" if pretrain else "last_assistant" if last else self.data.train_on
        tokenizer, labelled = load_tokenizer(folder), None
        if self.purpose.targets:
            labelled = Labelled(self.purpose.takes, Labels.load(folder), Texts(tokenizer))
        painter = Painter(contract.renderer(tokenizer), train_on, pretrain, labelled)
        samples = self._samples(part)
        rows = {row["source_row"] for row, _ in chosen}
        lost = _lines(self.formatted / FAULTY)
        reasons = {entry["source_row"]: entry["reason"] for entry in lost if entry["source_row"] in rows}
        shown = [
            Shown(row, why, _judged(row, painter.row(row, entries, reasons.get(row["source_row"], "")), self.purpose))
            for row, why, entries in ((row, why, _entries(samples, row, self.purpose)) for row, why in chosen)
        ]
        facts = {
            say("part", "부분"): say(part, {"train": "학습", "validation": "검증", "test": "시험"}[part]),
            **more,
            **_targets(part, train_on if labelled is None else "labels"),
            say("longest sample", "샘플의 최대 길이"): say(
                f"{self.data.max_length:,} tokens", f"{self.data.max_length:,}토큰"
            ),
            say("chat template", "대화 템플릿"): contract.template_name or "-",
        }
        return Exhibit(self.name, slug, part == "train", facts, notes, shown)

    def _samples(self, part: Part) -> Samples:
        return Samples.open(self.formatted / f"{part}.arrow")


def _targets(part: Part, train_on: str) -> dict[str, str]:
    said = {
        "all": say("every token", "모든 토큰"),
        "assistant": say("every answer with its end token", "모든 답과 종료 토큰"),
        "last_assistant": say("the last answer with its end token", "마지막 답과 종료 토큰"),
        "labels": say("what a head says of the row", "행에 대해 헤드가 말하는 것"),
    }[train_on]
    if part == "train":
        return {say("trained", "학습하는 것"): said}
    return {say("measured", "평가하는 것"): said, say("trained", "학습하는 것"): say("nothing of this part", "없음")}


def _entries(samples: Samples, row: Row, purpose: Purpose) -> list[Entry]:
    """Of each unit its sequences that are made of the row; what KTO compares a rated answer with is made of another one."""
    found = [samples[int(i)] for i in np.flatnonzero(samples.source_rows == row["source_row"])]
    found = found[: len(found) // row.get("times", 1)]  # a row that is trained several times is shown once
    of_row = slice(1) if purpose.takes == "rated" else slice(None)
    return [
        entry._replace(input_ids=ids, weights=weights, cuts=())
        for entry in found
        for ids, weights in entry.sequences[of_row]
    ]


def _judged(row: Row, painted: Sequence[Painted], purpose: Purpose) -> Sequence[Painted]:
    """The samples with what is thought of their answers, where answers are judged."""
    if purpose.takes not in ("pair", "rated"):
        return painted
    better, worse = say("chosen", "나은 답(chosen)"), say("rejected", "못한 답(rejected)")
    if purpose.takes == "rated":
        better, worse = say("good", "좋은 답"), say("bad", "나쁜 답")
    said = [better, worse] if row.get("rejected") else [better if row["wanted"] else worse]
    if len(said) != len(painted):  # a row that was dropped
        return painted
    return [replace(sample, labels=name) for sample, name in zip(painted, said, strict=True)]


def _lost_note(lost: Sequence[int]) -> list[str]:
    """Rows of the part that have no sample."""
    if not lost:
        return []
    numbers = ", ".join(map(str, lost[:LISTED])) + (", …" if len(lost) > LISTED else "")
    return [
        say(
            f"rows of this part that were dropped: {len(lost):,} (--row shows them: {numbers})",
            f"이 부분에서 빠진 행: {len(lost):,} (--row로 보기: {numbers})",
        )
    ]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
