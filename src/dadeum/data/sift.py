"""The filters of `data.filters` at work: in the order of the YAML, with an account of what each of them did.

Rows are judged as they are read, up to the first filter that must have seen all rows; from there on the rows that are
left are gone through once more for each such filter. Filters that need the parts come last.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings
from dadeum.data.account import Account, kept_row
from dadeum.data.cells import FaultyRow
from dadeum.data.filters import FILTERS, Drop, Mask, Seen, Sieve, Tools
from dadeum.data.formats import Conversation
from dadeum.data.keys import Rows
from dadeum.data.maker import Kept
from dadeum.data.split import NONE, Numbers, number
from dadeum.data.step import FILTER, MASKED


@dataclass
class Work:
    """One filter and what it did."""

    place: int
    settings: MemberSettings
    sieve: Sieve
    rows: int = 0
    dropped: int = 0
    masked: int = 0
    hidden: Counter[str] = field(default_factory=Counter)
    first: dict[str, Any] | None = None  # of the dropped

    def report(self) -> dict[str, Any]:
        """What `report.json` says of it."""
        told = self.settings.model_dump(mode="json")
        counts = {"rows": self.rows, "dropped": self.dropped, "masked": self.masked}
        hidden = {"hidden": dict(sorted(self.hidden.items()))} if self.hidden else {}
        return {"type": told.pop("type"), "settings": told, "when": self.sieve.when, **counts, **hidden}


class Sifter:
    """Takes every row through the filters."""

    def __init__(
        self,
        filters: Iterable[MemberSettings],
        tools: Tools,
        account: Account,
        check: Callable[[Conversation], str],
        reporter: Reporter,
    ) -> None:
        """`check` makes the text of a row that was changed after it was read. Raises what a filter's `build` raises."""
        built = ((settings, FILTERS.of(settings).build(settings, tools)) for settings in filters)
        self.works = [Work(place, settings, sieve) for place, (settings, sieve) in enumerate(built)]
        self.account, self.check, self.reporter = account, check, reporter
        self._rounds: list[list[Work]] = [[]]
        for work in self.works:
            if work.sieve.when == "all":
                self._rounds.append([])
            if work.sieve.when != "parted":
                self._rounds[-1].append(work)
        self._round = 0
        self._files = ExitStack()
        self._masked: IO[str] | None = None

    def __enter__(self) -> "Sifter":
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def read(self, row: Kept) -> Kept | None:
        """What is left of a row that was just read; its text is not made yet."""
        return self._through(self._rounds[0], row, 0)

    def look(self, row: Kept) -> None:
        """A row is about to be kept: the filter that waits for all of them sees it."""
        if self._round + 1 < len(self._rounds):
            self._rounds[self._round + 1][0].sieve.look(_seen(row, self.account.kept))

    def finish(self) -> None:
        """All rows are read: go through them for each filter that waited for that."""
        while self._round + 1 < len(self._rounds):
            self._round += 1
            self.reporter.start(say("filtering rows", "행 거르는 중"), self.account.kept, say("rows", "행"))
            self.account.sift(self._again)
            self.reporter.advance(self.account.kept)

    def _again(self, place: int, row: Kept) -> Kept | None:
        try:
            left = self._through(self._rounds[self._round], row, place)
            if left is None:
                return None
            if left.conversation is not row.conversation:
                left = left._replace(text=self.check(left.conversation))
        except FaultyRow as fault:
            self.account.fault(row.source_row, row.where, fault.kind, str(fault))
            return None
        self.look(left)
        return left

    def part(self, parts: Numbers) -> Rows:
        """The kept rows that filters take out which know the parts; they are dropped here."""
        out = np.zeros(len(parts), np.bool_)
        works = [work for work in self.works if work.sieve.when == "parted"]
        if not works:
            return out
        self.reporter.start(say("filtering rows", "행 거르는 중"), len(parts), say("rows", "행"))
        for looking in (True, False):
            for place, line in enumerate(self.account.lines()):
                if parts[place] == NONE:
                    continue
                row = kept_row(json.loads(line), int(parts[place]))
                if looking:
                    for work in works:
                        work.sieve.look(_seen(row, place))
                elif parts[place] != number("test"):
                    out[place] = self._through(works, row, place) is None
        self.reporter.advance(len(parts))
        return out

    def _through(self, works: Sequence[Work], row: Kept, place: int) -> Kept | None:
        for work in works:
            work.rows += 1
            kind = FILTER + work.settings.type
            verdict = work.sieve.judge(_seen(row, place))
            if isinstance(verdict, Drop):
                work.dropped += 1
                entry = self.account.drop(row.source_row, row.where, kind, verdict.reason, filter=work.place)
                work.first = work.first or entry
                return None
            if isinstance(verdict, Mask):
                work.masked += 1
                work.hidden.update(verdict.found)
                entry = {"source_row": row.source_row, "where": row.where, "kind": kind, "filter": work.place}
                self._list({**entry, "hidden": dict(verdict.found)})
                row = row._replace(conversation=verdict.conversation)
        return row

    def _list(self, entry: dict[str, Any]) -> None:
        if self._masked is None:
            path = self.account.listing.with_name(MASKED)
            self._masked = self._files.enter_context(path.open("w", encoding="utf-8", newline="\n"))
        self._masked.write(json.dumps(entry, ensure_ascii=False) + "\n")

    @property
    def emptied(self) -> Work | None:
        """The filter that dropped every row that it judged."""
        return next((work for work in self.works if work.first is not None and work.dropped == work.rows), None)

    def refuse_emptied(self, listing: Path) -> None:
        """Raises DataError for such a filter."""
        work = self.emptied
        if work is None or work.first is None:
            return
        name = f"data.filters.{work.place} ({work.settings.type})"
        where, reason = work.first["where"], work.first["reason"]
        raise DataError(
            say(
                f"{name}: drops all {work.rows} rows that reach it, first {where}: {reason}; "
                f"all are listed in {listing}; loosen it or take it out",
                f"{name}: 여기까지 온 {work.rows}행을 모두 뺍니다. 첫 행 {where}: {reason}. "
                f"전체 목록: {listing}. 조건을 늦추거나 이 필터를 지우세요",
            )
        )

    def report(self) -> list[dict[str, Any]]:
        """What each filter did, in the order of the YAML."""
        return [work.report() for work in self.works]


def _seen(row: Kept, place: int) -> Seen:
    return Seen(row.conversation, row.where, row.part, place)
