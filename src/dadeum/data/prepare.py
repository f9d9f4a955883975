"""Rows to conversations, with an account of every row that was read.

read = train + validation + test + dropped, always; each dropped row is listed with `file:line` and reason.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from dadeum.config.data import DataSettings
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings
from dadeum.core.workspace import Workspace
from dadeum.data import duplicates
from dadeum.data.cells import FaultyRow, by_name, plain_name
from dadeum.data.clean import Cleaner
from dadeum.data.files import label
from dadeum.data.formats import FORMATS, LAST, Conversation
from dadeum.data.prompt import PromptFormat, load_prompt
from dadeum.data.sources import SOURCES, Fault, FileFacts, Part, Row
from dadeum.data.split import PARTS, Split, answer_key, prompt_key, split

# Rows that are looked at to see which columns there are: JSON rows may leave some out.
LOOK = 100
STEP = 500
Convert = Callable[[Mapping[str, Any]], Conversation]
Check = Callable[[Conversation], str]
Item = Row | Fault | FileFacts


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row that is kept: where it was read (`source_row` counts all rows from 0) and what the template makes of it."""

    source_row: int
    where: str
    pinned: Part | None
    conversation: Conversation
    text: str
    id: str | None = None  # under which it stands in its source


@dataclass
class Account:
    """All rows of all sources."""

    kept: list[Prepared] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    read: int = 0
    duplicates: dict[str, int] = field(default_factory=dict)

    def drop(self, row: int, where: str, kind: str, reason: str) -> None:
        """A row goes out."""
        self.dropped.append({"source_row": row, "where": where, "kind": kind, "reason": reason})

    def compare(self, how: str) -> None:
        """Count the kept rows that say what another says; unless `how` is to keep them, one of each stays."""
        keys = {name: [key(row.conversation) for row in self.kept] for name, key in duplicates.KEYS.items()}
        self.duplicates = {
            "exact": duplicates.repeats(keys["drop_exact"]),
            "normalised": duplicates.repeats(keys["drop_normalised"]),
            "ids": duplicates.repeats(row.id for row in self.kept if row.id is not None),
        }
        extra = duplicates.extra(keys[how], [row.pinned for row in self.kept]) if how in keys else {}
        for index, first in sorted(extra.items()):
            row, where = self.kept[index], self.kept[first].where
            self.drop(row.source_row, row.where, "duplicate", say(f"says the same as {where}", f"{where}과(와) 같음"))
        self.kept = [row for index, row in enumerate(self.kept) if index not in extra]

    def by_kind(self) -> dict[str, int]:
        """Dropped rows by reason."""
        return dict(sorted(Counter(entry["kind"] for entry in self.dropped).items()))


@dataclass
class RowReader:
    """Every row of every source: converted, cleaned and rendered by `check`, or dropped with its reason."""

    workspace: Workspace
    check: Check
    reporter: Reporter
    cleaner: Cleaner
    prompt: PromptFormat | None
    account: Account = field(default_factory=Account)

    @classmethod
    def of(cls, data: DataSettings, workspace: Workspace, check: Check, reporter: Reporter) -> "RowReader":
        """A reader under the settings. Raises DataError where `data.prompt` is wrong."""
        settings = load_prompt(data.prompt, workspace)
        prompt = PromptFormat(settings, data.system_prompt) if settings else None
        return cls(workspace, check, reporter, Cleaner(data.system_prompt), prompt)

    def read(self, sources: Iterable[MemberSettings]) -> Account:
        """Read them all. Raises DataError for a file that cannot be read, or whose columns are not understood."""
        self.reporter.start(say("reading rows", "행 읽는 중"), unit=say("rows", "행"))
        for number, source in enumerate(sources):
            member = SOURCES.of(source)
            name = str(getattr(source, "path", None) or getattr(source, "name", source.type))
            self._source(number, name, member.read(source, member.files(source, self.workspace)))
        self.reporter.advance(self.account.read)
        return self.account

    def _source(self, number: int, name: str, items: Iterator[Item]) -> None:
        head = _look(items)
        columns = list(dict.fromkeys(column for item in head if isinstance(item, Row) for column in item.values))
        convert, kind = _converter(name, columns, self.prompt) if columns else (None, None)
        account = self.account
        before, dropped = account.read, len(account.dropped)
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
                        "dropped": len(account.dropped) - dropped,
                        "blank_lines": item.blank,
                        **item.counts,
                    }
                )
                before, dropped = account.read, len(account.dropped)
            else:
                self._item(item, convert, number)

    def _item(self, item: Row | Fault, convert: Convert | None, number: int) -> None:
        account = self.account
        index = account.read
        account.read += 1
        if account.read % STEP == 0:
            self.reporter.advance(account.read, dropped=len(account.dropped))
        if isinstance(item, Fault):
            account.drop(index, item.where, item.kind, item.reason)
            return
        try:
            if convert is None:
                raise FaultyRow("no columns", say("the row has no column", "행에 열이 없습니다"))
            conversation = self.cleaner(convert(item.values))
            text = self.check(conversation)
        except FaultyRow as fault:
            account.drop(index, item.where, fault.kind, str(fault))
        else:
            found = duplicates.row_id(item.values)
            own = None if found is None else f"{number} {found}"
            account.kept.append(Prepared(index, item.where, item.part, conversation, text, own))


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


def _converter(name: str, columns: list[str], prompt: PromptFormat | None) -> tuple[Convert, str]:
    """How rows with these columns become conversations, and what that is called. Raises DataError."""
    if prompt is not None:
        prompt.check(columns)
        return prompt.convert, "prompt"
    plain = frozenset(plain_name(c) for c in columns)
    fits = [kind for kind in FORMATS.names if FORMATS.member(kind).matches(plain)]
    if len(fits) > 1:
        fits = [kind for kind in fits if kind != LAST]
    if len(fits) == 1:
        member = FORMATS.member(fits[0])
        return (lambda values: member.convert(by_name(values))), fits[0]
    found = ", ".join(columns)
    expected = "; ".join(FORMATS.member(kind).COLUMNS for kind in FORMATS.names)
    which = (
        say(f"more than one kind of rows ({', '.join(fits)})", f"여러 종류({', '.join(fits)})")
        if fits
        else say("no known kind of rows", "알려진 종류가 아님")
    )
    raise DataError(
        say(
            f"{name}: columns {found}: {which}; expected one of: {expected}; else say in data.prompt which column is what",
            f"{name}: 열 {found}: {which}. 다음 중 하나여야 합니다: {expected}. 아니면 data.prompt에 어느 열이 무엇인지 적으세요",
        )
    )


def refuse_faulty(account: Account, report: Path) -> None:
    """The error of a stage that found faulty rows: how many, the first, the file that lists all, the cure."""
    first = account.dropped[0]
    count, read = len(account.dropped), account.read
    if not account.kept:
        raise DataError(
            say(
                f"none of {read} rows can be used, first {first['where']}: {first['reason']}; all are listed in {report}",
                f"{read}행 모두 쓸 수 없습니다. 첫 행 {first['where']}: {first['reason']}. 전체 목록: {report}",
            )
        )
    raise DataError(
        say(
            f"{count} of {read} rows cannot be used, first {first['where']}: {first['reason']}; all are listed in {report}; "
            "correct them, or leave them out with data.faulty_rows=drop",
            f"{read}행 중 {count}행을 쓸 수 없습니다. 첫 행 {first['where']}: {first['reason']}. 전체 목록: {report}. "
            "고치거나 data.faulty_rows=drop으로 빼세요",
        )
    )


def part_rows(account: Account, data: DataSettings) -> Split:
    """Give every kept row its part; what goes out as duplicate or twin is added to the dropped. The account stays whole."""
    account.compare(data.duplicates)
    keys = [prompt_key(row.conversation) for row in account.kept]
    parts = split(keys, [row.pinned for row in account.kept], data.split)
    for index, owner in parts.twin_of.items():
        row = account.kept[index]
        account.drop(
            row.source_row,
            row.where,
            f"twin of a {owner} row",
            say(f"same prompt as a {owner} row", f"{owner} 부분의 행과 질문이 같음"),
        )
    kept = sum(part is not None for part in parts.parts)
    if kept + len(account.dropped) != account.read:
        raise AssertionError(f"rows lost: {kept} kept + {len(account.dropped)} dropped, {account.read} read")
    return parts


def report(account: Account, cleaner: Cleaner, parts: Split) -> dict[str, Any]:
    """What `report.json` holds."""
    prompts: dict[str, set[Part]] = {}
    twins: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    rows_of: Counter[tuple[str, str]] = Counter()
    for row, part in zip(account.kept, parts.parts, strict=True):
        if part is None:
            continue
        key = prompt_key(row.conversation)
        prompts.setdefault(key, set()).add(part)
        counts[part] += 1
        rows_of[(part, key)] += 1
        answer = answer_key(row.conversation)
        if answer is not None:
            answers[answer] += 1
    for (name, _), rows in rows_of.items():
        twins[name] += rows - 1
    overlap = sum(len(where) > 1 for where in prompts.values())
    if overlap:
        raise AssertionError(f"{overlap} prompts stand in two parts")
    return {
        "read": account.read,
        "kept": counts.total(),
        "dropped": account.by_kind(),
        "parts": {part: counts[part] for part in PARTS},
        "twins": {part: twins[part] for part in PARTS},
        "duplicates": account.duplicates,
        "repeated_answers": sum(n - 1 for n in answers.values()),
        "overlap": overlap,
        "empty_parts": parts.empty,
        "nfc_changed": cleaner.changes.nfc,
        "line_ends_changed": cleaner.changes.line_ends,
        "sources": account.sources,
    }


def conversations(account: Account, parts: Split) -> Iterable[dict[str, Any]]:
    """What `processed_conversations.json` holds, in the order of reading."""
    for row, part in zip(account.kept, parts.parts, strict=True):
        if part is None:
            continue
        conversation = row.conversation
        entry: dict[str, Any] = {
            "messages": list(conversation.messages),
            "text": row.text,
            "source_row": row.source_row,
            "where": row.where,
            "part": part,
        }
        extra = {"category": conversation.category, "query": conversation.query, "reference": conversation.reference}
        yield entry | {key: value for key, value in extra.items() if value is not None}
