"""The account of every row that was read: kept ones in a file aside, dropped ones listed with `file:line` and reason.

There may be millions of rows: none is held in memory, only a few dozen bytes of each, by which rows are compared.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dadeum.data.clean import Changes
from dadeum.data.formats import Conversation
from dadeum.data.keys import ABSENT, Column
from dadeum.data.maker import BESIDE, Gone, Kept, Made, made
from dadeum.data.sources import PARTS
from dadeum.data.split import Numbers


class Account:
    """All rows of all sources: kept ones in a file aside, dropped ones in a list, and of each kept row its keys."""

    def __init__(self, spool: Path, listing: Path, seed: int) -> None:
        """`spool` takes the kept rows as JSON lines, `listing` the dropped ones; both are written as rows are read."""
        self.spool, self.listing, self.seed = spool, listing, seed
        self.sources: list[dict[str, Any]] = []
        self.read = 0
        self.begins: list[int] = []  # of each source the number of its first row
        self.dropped: Counter[str] = Counter()
        self.faulty = 0  # of the dropped, those that cannot be used
        self.first: dict[str, Any] | None = None  # of the faulty
        self.changes = Changes()
        self._dropped = listing.open("w", encoding="utf-8", newline="\n")
        self._judged = spool
        self._begin()

    def _begin(self) -> None:
        self.kept = 0
        self.prompts, self.exact, self.loose, self.answers, self.ids = (Column() for _ in range(5))
        self.pinned = bytearray()  # the part of each kept row, as split.number
        self._kept = self.spool.open("w", encoding="utf-8", newline="\n")

    def __enter__(self) -> "Account":
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()
        self._dropped.close()

    def drop(self, row: int, where: str, kind: str, reason: str, **more: object) -> dict[str, Any]:
        """A row goes out. Gives what the list says of it."""
        entry = {"source_row": row, "where": where, "kind": kind, "reason": reason, **more}
        self.dropped[kind] += 1
        self._dropped.write(json.dumps(entry, ensure_ascii=False) + "\n")
        return entry

    def fault(self, row: int, where: str, kind: str, reason: str) -> None:
        """A row goes out because it cannot be used."""
        entry = self.drop(row, where, kind, reason)
        self.first = self.first or entry
        self.faulty += 1

    def take(self, made: Made, faults: Sequence[Gone] = ()) -> None:
        """A chunk of rows: what was made of them, and those among them that were damaged."""
        for one in sorted([*made.gone, *faults]):
            (self.fault if one.faulty else self.drop)(*one[:4])
        self.read += made.read + len(faults)
        self.changes.nfc += made.nfc
        self.changes.line_ends += made.line_ends
        self._kept.write(made.lines)
        self.prompts.add(made.prompts)
        self.exact.add(made.exact)
        self.loose.add(made.loose)
        self.answers.add(made.answers)
        self.ids.add(made.ids)
        self.pinned += made.pins
        self.kept += len(made.pins)

    def keep(self, row: Kept) -> None:
        """A row stays."""
        self.take(made([row], self.seed))

    def close_reading(self) -> None:
        """No more rows are read; all of them are on disk."""
        self._kept.flush()
        self._dropped.flush()

    @property
    def pins(self) -> Numbers:
        """The part that each kept row is pinned to."""
        return np.frombuffer(self.pinned, np.int8)

    def lines(self) -> Iterator[str]:
        """The kept rows as JSON, in the order of reading."""
        return _lines(self.spool)

    def sift(self, judge: Callable[[int, Kept], Kept | None]) -> None:
        """Look at every kept row once more: `judge` gets its place and gives what is kept of it, or drops it."""
        self.close_reading()
        self._kept.close()
        pinned, ids = self.pinned, self.ids
        self._judged = self.spool.with_name(f"{self.spool.name}.before")
        self.spool.replace(self._judged)
        self._begin()
        for place, line in enumerate(_lines(self._judged)):
            row = judge(place, kept_row(json.loads(line), pinned[place], ids.at(place)))
            if row is not None:
                self.keep(row)
        self.close_reading()
        self._judged.unlink()
        self._judged = self.spool

    def places(self, rows: Iterable[int]) -> dict[int, str]:
        """Where these rows were read: of the kept ones, or while they are sifted of those that were kept before."""
        wanted = set(rows)
        lines = enumerate(_lines(self._judged)) if wanted else ()
        return {place: json.loads(line)["where"] for place, line in lines if place in wanted}


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n")


def kept_row(entry: Mapping[str, Any], part: int, id_key: bytes = ABSENT) -> Kept:
    """A row as it was kept."""
    said: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name in ("messages", *BESIDE)
        if (value := entry.get(name)) is not None
    }
    said["text"] = None if entry["messages"] else entry["text"]
    conversation = Conversation(**said)
    pin = PARTS[part] if part < len(PARTS) else None
    return Kept(entry["source_row"], entry["where"], conversation, entry["text"], pin, id_key)
