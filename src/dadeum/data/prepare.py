"""Rows to conversations, with an account of every row that was read.

read = train + validation + test + dropped, always; each dropped row is listed with `file:line` and reason.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from dadeum.config.data import DataSettings
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings
from dadeum.core.workspace import Workspace
from dadeum.data.account import Account, Kept
from dadeum.data.cells import FaultyRow
from dadeum.data.clean import Cleaner
from dadeum.data.files import label
from dadeum.data.formats import Conversation
from dadeum.data.keys import ABSENT, Rows, id_key, row_id
from dadeum.data.kinds import Convert, Recogniser
from dadeum.data.mixture import NOT_DRAWN, Mixture, mix, mixed, name_of, origins
from dadeum.data.sift import Sifter
from dadeum.data.sources import PARTS, SOURCES, Fault, FileFacts, Row
from dadeum.data.split import NONE, Numbers, Split, crossing, extra, number, split, twins
from dadeum.data.usable import AS_TEXT, LeftOut, Usable, usable

# Rows that are looked at to see which columns there are: JSON rows may leave some out.
LOOK = 100
STEP = 500
Check = Callable[[Conversation], str]
Item = Row | Fault | FileFacts


@dataclass
class RowReader:
    """Every row of every source: converted, cleaned and rendered by `check`, or dropped with its reason."""

    workspace: Workspace
    check: Check
    reporter: Reporter
    cleaner: Cleaner
    recognise: Recogniser
    account: Account
    usable: Usable = AS_TEXT
    sifter: Sifter | None = None

    @classmethod
    def of(
        cls,
        data: DataSettings,
        objective: str,
        workspace: Workspace,
        check: Check,
        reporter: Reporter,
        account: Account,
    ) -> "RowReader":
        """A reader under the settings. Raises DataError where `data.prompt` or `data.columns` is wrong."""
        recognise = Recogniser.of(data, workspace)
        fit = usable(objective, data.preference)
        return cls(workspace, check, reporter, Cleaner(data.system_prompt), recognise, account, fit)

    def read(self, sources: Iterable[MemberSettings]) -> None:
        """Read them all. Raises DataError for a file that cannot be read, or whose columns are not understood."""
        self.reporter.start(say("reading rows", "행 읽는 중"), unit=say("rows", "행"))
        for place, source in enumerate(sources):
            member = SOURCES.of(source)
            self.account.begins.append(self.account.read)
            self._source(place, name_of(source), member.read(source, member.files(source, self.workspace)))
        self.recognise.finish()
        self.reporter.advance(self.account.read)
        self.account.close_reading()
        if self.sifter is not None:
            self.sifter.finish()

    def _source(self, place: int, name: str, items: Iterator[Item]) -> None:
        head = _look(items)
        columns = list(dict.fromkeys(column for item in head if isinstance(item, Row) for column in item.values))
        convert, kind = self.recognise(name, columns) if columns else (None, None)
        account = self.account
        before, dropped = account.read, account.dropped.total()
        for item in chain(head, items):
            if isinstance(item, FileFacts):
                rows = account.read - before
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
                        "format": kind,
                        "columns": columns,
                        "rows": rows,
                        "dropped": account.dropped.total() - dropped,
                        "blank_lines": item.blank,
                        **item.counts,
                    }
                )
                before, dropped = account.read, account.dropped.total()
            else:
                self._item(item, convert, place)

    def _item(self, item: Row | Fault, convert: Convert | None, source: int) -> None:
        account = self.account
        index = account.read
        account.read += 1
        if account.read % STEP == 0:
            self.reporter.advance(account.read, dropped=account.dropped.total())
        if isinstance(item, Fault):
            account.fault(index, item.where, item.kind, item.reason)
            return
        try:
            if convert is None:
                raise FaultyRow("no columns", say("the row has no column", "행에 열이 없습니다"))
            conversation = self.cleaner(self.usable(convert(item.values)))
            found = row_id(item.values)
            key = ABSENT if found is None else id_key(source, found)
            if self.sifter is not None and self.sifter.works:
                left = self.sifter.read(Kept(index, item.where, conversation, "", item.part, key))
                if left is None:
                    return
                conversation = left.conversation
            row = Kept(index, item.where, conversation, self.check(conversation), item.part, key)
        except LeftOut as left_out:
            account.drop(index, item.where, left_out.kind, str(left_out))
            return
        except FaultyRow as fault:
            account.fault(index, item.where, fault.kind, str(fault))
            return
        if self.sifter is not None:
            self.sifter.look(row)
        account.keep(row)


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
    for index, line in enumerate(account.lines()):
        part = parted.split.name(index)
        if part is not None:
            written += 1
            times = "" if parted.mixture is None else parted.mixture.more(index)
            yield f'{line[:-1]}, "part": "{part}"{times}}}'
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


def report(account: Account, cleaner: Cleaner, parted: Parted) -> dict[str, Any]:
    """What `report.json` holds, when all rows have been written."""
    return {
        "read": account.read,
        "kept": account.read - account.dropped.total(),
        "dropped": dict(sorted(account.dropped.items())),
        **parted.facts,
        "nfc_changed": cleaner.changes.nfc,
        "line_ends_changed": cleaner.changes.line_ends,
        "sources": account.sources,
    }
