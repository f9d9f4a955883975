"""Rows to conversations, with an account of every row that was read.

read = train + validation + test + dropped, always; each dropped row is listed with `file:line` and reason.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dadeum.config.data import DataSettings
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings
from dadeum.core.workspace import Workspace
from dadeum.data.account import Account
from dadeum.data.crew import Crew
from dadeum.data.files import label
from dadeum.data.keys import Rows
from dadeum.data.maker import Chunk, Gone, Kept, Made, Maker, made
from dadeum.data.mixture import NOT_DRAWN, Mixture, mix, mixed, name_of, origins
from dadeum.data.sift import Sifter
from dadeum.data.sources import PARTS, SOURCES, Fault, FileFacts, Row
from dadeum.data.split import NONE, Numbers, Split, crossing, extra, number, split, twins

# Rows that are looked at to see which columns there are: JSON rows may leave some out.
LOOK = 100
# Rows of a chunk: the first, and the most; where rows are long, as many characters as go into a pipe at once.
FIRST, CHUNK, ROOM = 100, 1000, 1 << 19
Item = Row | Fault | FileFacts


class FileEnd(NamedTuple):
    """What is known of a file when all its rows were read."""

    facts: FileFacts
    kind: str | None
    columns: tuple[str, ...]


class Task(NamedTuple):
    """A chunk of rows, damaged ones among them, and the end of their file, where they are its last."""

    chunk: Chunk
    faults: list[Gone]
    end: FileEnd | None


@dataclass
class RowReader:
    """Every row of every source: kept, or dropped with its reason."""

    workspace: Workspace
    reporter: Reporter
    maker: Maker
    account: Account
    sifter: Sifter | None = None
    _before: int = 0
    _dropped: int = 0
    _size: int = FIRST

    def read(self, sources: Iterable[MemberSettings]) -> None:
        """Read them all. Raises DataError for a file that cannot be read, or whose columns are not understood."""
        self.reporter.start(say("reading rows", "행 읽는 중"), unit=say("rows", "행"))
        sifting = self.sifter is not None and bool(self.sifter.works)
        self._size = 1 if sifting else FIRST
        tasks = self._tasks(sources)
        work = ((task, self._sifted(task)) for task in tasks) if sifting else Crew(self.maker).work(tasks)
        for task, result in work:
            self.account.take(result, task.faults)
            if not sifting and result.read:
                self._size = max(1, min(CHUNK, ROOM * result.read // max(1, len(result.lines))))
            if task.end is not None:
                self._file_end(task.end)
            if not sifting or self.account.read % CHUNK == 0:
                self.reporter.advance(self.account.read, dropped=self.account.dropped.total())
        if sifting:
            self.reporter.advance(self.account.read, dropped=self.account.dropped.total())
        self.maker.recognise.finish()
        self.account.close_reading()
        if self.sifter is not None:
            self.sifter.finish()

    def _tasks(self, sources: Iterable[MemberSettings]) -> Iterator[Task]:
        """All rows in chunks; a chunk ends with its file."""
        index = 0
        for place, source in enumerate(sources):
            member = SOURCES.of(source)
            self.account.begins.append(index)
            name = name_of(source)
            items = member.read(source, member.files(source, self.workspace))
            head = _look(items)
            columns = tuple(dict.fromkeys(column for item in head if isinstance(item, Row) for column in item.values))
            kind = self.maker.kind(name, columns)
            task = Task(Chunk(place, name, columns, []), [], None)
            for item in chain(head, items):
                if isinstance(item, FileFacts):
                    task = task._replace(end=FileEnd(item, kind, columns))
                elif isinstance(item, Fault):
                    task.faults.append(Gone(index, item.where, item.kind, item.reason, True))
                    index += 1
                else:
                    task.chunk.rows.append((index, *item))
                    index += 1
                if task.end is not None or len(task.chunk.rows) + len(task.faults) >= self._size:
                    yield task
                    task = Task(Chunk(place, name, columns, []), [], None)
            if task.chunk.rows or task.faults:
                yield task

    def _sifted(self, task: Task) -> Made:
        """What becomes of a row that goes through filters, which see it before and after its text is made."""
        sifter = self.sifter
        assert sifter is not None
        read, gone = self.maker.converted(task.chunk, lambda _: "")
        kept: list[Kept] = []
        for row in read:
            left = sifter.read(row)
            if left is None:
                continue
            whole = self.maker.rendered(left)
            if isinstance(whole, Kept):
                sifter.look(whole)
                kept.append(whole)
            else:
                gone.append(whole)
        return made(kept, self.account.seed, gone)._replace(read=len(task.chunk.rows))

    def _file_end(self, end: FileEnd) -> None:
        account, item = self.account, end.facts
        rows = account.read - self._before
        if not rows:
            raise DataError(say(f"{item.file}: holds no rows", f"{item.file}: 행이 없습니다"))
        file = label(self.workspace, item.file)
        if item.origin is not None:
            self.reporter.note(f"{file}: {item.origin}")
        account.sources.append(
            {
                "file": file,
                **({"origin": item.origin} if item.origin is not None else {}),
                "encoding": item.encoding,
                "format": end.kind,
                "columns": list(end.columns),
                "rows": rows,
                "dropped": account.dropped.total() - self._dropped,
                "blank_lines": item.blank,
                **item.counts,
            }
        )
        self._before, self._dropped = account.read, account.dropped.total()


def _look(items: Iterator[Item]) -> list[Item]:
    """The first items: at least one row with columns, where there is one."""
    head: list[Item] = []
    found = False
    for item in items:
        head.append(item)
        found = found or (isinstance(item, Row) and bool(item.values))
        if found and len(head) >= LOOK:
            break
    return head


def refuse_empty(account: Account) -> None:
    """Raises DataError where all rows went out."""
    if account.read and not account.kept:
        reasons = dict(sorted(account.dropped.items()))
        raise DataError(
            say(
                f"nothing is left of {account.read} rows (left out: {reasons})",
                f"{account.read}행 중 남은 것이 없습니다 (뺀 것: {reasons})",
            )
        )


def refuse_faulty(account: Account, listing: Path) -> None:
    """The error of a stage that found faulty rows: how many, the first, the file that lists all, the cure."""
    first = account.first
    count, read = account.faulty, account.read
    if first is None:
        return
    if count == read:
        raise DataError(
            say(
                f"none of {read} rows can be used, first {first['where']}: {first['reason']}; all are listed in {listing}",
                f"{read}행 모두 쓸 수 없습니다. 첫 행 {first['where']}: {first['reason']}. 전체 목록: {listing}",
            )
        )
    raise DataError(
        say(
            f"{count} of {read} rows cannot be used, first {first['where']}: {first['reason']}; all are listed in {listing}; "
            "correct them, or leave them out with data.faulty_rows=drop",
            f"{read}행 중 {count}행을 쓸 수 없습니다. 첫 행 {first['where']}: {first['reason']}. 전체 목록: {listing}. "
            "고치거나 data.faulty_rows=drop으로 빼세요",
        )
    )


@dataclass
class Parted:
    """Which of the kept rows go where, and what is known of all of them."""

    split: Split
    stays: dict[int, int]  # of rows that go as duplicates the one that stays
    out: Rows  # rows that a filter dropped which knows the parts
    facts: dict[str, Any]
    mixture: Mixture | None = None


def part_rows(account: Account, data: DataSettings, sifter: Sifter | None = None) -> Parted:
    """Give every kept row its part; what goes out as duplicate or twin, or by a filter that knows the parts, has none."""
    compared = {"exact": account.exact, "normalised": account.loose}
    counts, stays = {}, {}
    for name, column in compared.items():
        groups = column.groups()
        counts[name] = groups.repeats
        if data.duplicates == f"drop_{name}":
            stays = extra(groups, account.pins)
    counts["ids"] = account.ids.groups(account.ids.present).repeats
    left = np.ones(account.kept, np.bool_)
    left[list(stays)] = False
    prompts = account.prompts.groups(left)
    found = split(prompts, account.pins[left], data.split)
    overlap = crossing(prompts, found.parts)
    if overlap:
        raise AssertionError(f"{overlap} prompts stand in two parts")
    whole = Split(np.full(account.kept, NONE, np.int8), np.full(account.kept, NONE, np.int8), found.empty)
    whole.parts[left], whole.twin_of[left] = found.parts, found.twin_of
    out = np.zeros(account.kept, np.bool_) if sifter is None else sifter.part(whole.parts)
    whole.parts[out] = NONE
    mixture = _mixture(account, data, whole.parts)
    if mixture is not None:
        whole.parts[mixture.out] = NONE
    parts = whole.parts[left]
    facts = {
        "parts": {part: int((parts == number(part)).sum()) for part in PARTS},
        "twins": twins(prompts, parts),
        "duplicates": counts,
        "repeated_answers": account.answers.groups(account.answers.present & (whole.parts != NONE)).repeats,
        "overlap": overlap,
        "empty_parts": found.empty,
    }
    if mixture is not None:
        facts |= {"mixture": mixture.facts, "empty_parts": [*found.empty, *mixture.emptied]}
    return Parted(whole, stays, out, facts, mixture)


def _mixture(account: Account, data: DataSettings, parts: Numbers) -> Mixture | None:
    """What is drawn of the rows that have a part; nothing is looked at where no source asks for it."""
    if not mixed(data):
        return None
    numbers = (json.loads(line)["source_row"] for line in account.lines())
    source_rows = np.fromiter(numbers, np.int64, account.kept)
    return mix(data, origins(account.begins, account.read, source_rows), parts, account.pins, account.exact)


def conversations(account: Account, parted: Parted) -> Iterator[str]:
    """The lines of `processed_conversations.json`, in the order of reading; rows that go out are dropped with their reason."""
    places = account.places(parted.stays.values())
    written = 0
    heads = {number(part): f'{{"part": "{part}"' for part in PARTS}
    numbers = parted.split.parts.tolist()
    for index, line in enumerate(account.lines()):
        head = heads.get(numbers[index])
        if head is not None:
            written += 1
            times = "" if parted.mixture is None else parted.mixture.more(index)
            yield f"{head}{times}, {line[1:]}"
            continue
        if parted.out[index]:
            continue
        row = json.loads(line)
        if index in parted.stays:
            where = places[parted.stays[index]]
            kind, reason = "duplicate", say(f"says the same as {where}", f"{where}과(와) 같음")
        elif parted.mixture is not None and parted.mixture.out[index]:
            kind, reason = NOT_DRAWN, parted.mixture.reason(index)
        else:
            owner = PARTS[parted.split.twin_of[index]]
            kind = f"twin of a {owner} row"
            reason = say(f"same prompt as a {owner} row", f"{owner} 부분의 행과 질문이 같음")
        account.drop(row["source_row"], row["where"], kind, reason)
    if written + account.dropped.total() != account.read:
        raise AssertionError(f"rows lost: {written} kept + {account.dropped.total()} dropped, {account.read} read")


def report(account: Account, parted: Parted) -> dict[str, Any]:
    """What `report.json` holds, when all rows have been written."""
    return {
        "read": account.read,
        "kept": account.read - account.dropped.total(),
        "dropped": dict(sorted(account.dropped.items())),
        **parted.facts,
        "nfc_changed": account.changes.nfc,
        "line_ends_changed": account.changes.line_ends,
        "sources": account.sources,
    }
