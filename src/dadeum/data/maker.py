"""What is made of rows one by one: a conversation, its text, what it is compared by, its line on disk. Knows no other rows.

A chunk of rows becomes bytes that an account takes as they are, in this process or in another (`crew.py`).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dadeum.config.data import DataSettings
from dadeum.config.purpose import Purpose
from dadeum.core.language import say
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow
from dadeum.data.clean import Changes, Cleaner
from dadeum.data.formats import Conversation
from dadeum.data.keys import ABSENT, id_key, keys, row_id
from dadeum.data.kinds import Convert, Recogniser
from dadeum.data.sources import Part
from dadeum.data.split import number
from dadeum.data.usable import LeftOut, Usable, refuse_settings, usable

Check = Callable[[Conversation], str]
# What a row may say beside its messages and its text.
BESIDE = tuple(name for name in Conversation._fields if name not in ("messages", "text"))
_SAYS_NO_MORE = Conversation()[2:]
_json = json.JSONEncoder(ensure_ascii=False).encode


class Kept(NamedTuple):
    """A row that stays: where it was read, what it says, what the template makes of it, its part where a source gives one."""

    source_row: int
    where: str
    conversation: Conversation
    text: str
    part: Part | None
    id_key: bytes


class Gone(NamedTuple):
    """A row that goes out, and why; `faulty` where it cannot be used."""

    source_row: int
    where: str
    kind: str
    reason: str
    faulty: bool


class Chunk(NamedTuple):
    """Rows of one source: (number, cells, place, part)."""

    source: int
    name: str
    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, Any], str, Part | None]]


class Made(NamedTuple):
    """Rows that stay, as JSON lines, with their keys end to end and a byte each for their part; rows that go out; of how many
    this came, and how many were changed by cleaning."""

    lines: str
    prompts: bytes
    exact: bytes
    loose: bytes
    answers: bytes
    ids: bytes
    pins: bytes
    gone: list[Gone]
    read: int = 0
    nfc: int = 0
    line_ends: int = 0


def made(rows: Iterable[Kept], seed: int, gone: list[Gone] | None = None) -> Made:
    """What an account takes of these rows."""
    lines: list[str] = []
    found = []
    ids = []
    pins = bytearray()
    for row in rows:
        said = row.conversation
        entry = {"messages": said.messages, "source_row": row.source_row, "where": row.where}
        if said[2:] != _SAYS_NO_MORE:
            entry |= beside(said)
        entry["text"] = row.text  # the last: who trains need not read it (`conversations.trainable`)
        lines.append(_json(entry))
        found.append(keys(said, seed))
        ids.append(row.id_key)
        pins.append(number(row.part) % 256)
    columns = [b"".join(column) for column in zip(*found, strict=True)] or [b"", b"", b"", b""]
    text = "\n".join(lines) + "\n" if lines else ""
    return Made(text, columns[0], columns[1], columns[2], columns[3], b"".join(ids), bytes(pins), gone or [])


def beside(conversation: Conversation) -> dict[str, Any]:
    """What a row says beside its messages and its text, as far as it says anything."""
    found = [(name, getattr(conversation, name)) for name in BESIDE]
    return {name: value for name, value in found if value is not None and value != () and value != {}}


@dataclass
class Maker:
    """Rows converted, cleaned and rendered by `check`, or gone with the reason."""

    check: Check
    cleaner: Cleaner
    recognise: Recogniser
    usable: Usable
    seed: int
    _known: dict[tuple[str, tuple[str, ...]], tuple[Convert, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: DataSettings, purpose: Purpose, workspace: Workspace, check: Check) -> "Maker":
        """As the settings say. Raises DataError where `data.prompt` or `data.columns` is wrong."""
        refuse_settings(data, purpose)
        cleaner, fit = Cleaner(data.system_prompt), usable(purpose, data.preference)
        return cls(check, cleaner, Recogniser.of(data, workspace, purpose), fit, data.split.seed)

    def kind(self, name: str, columns: tuple[str, ...]) -> str | None:
        """What rows of a source with these columns are called; None without columns. Raises DataError."""
        return self._how(name, columns)[1] if columns else None

    def _how(self, name: str, columns: tuple[str, ...]) -> tuple[Convert, str]:
        if (name, columns) not in self._known:
            self._known[name, columns] = self.recognise(name, list(columns))
        return self._known[name, columns]

    def __call__(self, chunk: Chunk) -> Made:
        """What becomes of the rows. Raises DataError for what is wrong with all of them."""
        changes = self.cleaner.changes = Changes()
        kept, gone = self.converted(chunk, self.check)
        found = made(kept, self.seed, gone)
        return found._replace(read=len(chunk.rows), nfc=changes.nfc, line_ends=changes.line_ends)

    def converted(self, chunk: Chunk, check: Check) -> tuple[list[Kept], list[Gone]]:
        """The rows that stay, with the text that `check` makes of each, and those that go."""
        convert = self._how(chunk.name, chunk.columns)[0] if chunk.columns else None
        kept: list[Kept] = []
        gone: list[Gone] = []
        for index, values, where, part in chunk.rows:
            try:
                if convert is None:
                    raise FaultyRow("no columns", say("the row has no column", "행에 열이 없습니다"))
                conversation = self.cleaner(self.usable(convert(values)))
                found = row_id(values)
                key = ABSENT if found is None else id_key(chunk.source, found)
                kept.append(Kept(index, where, conversation, check(conversation), part, key))
            except FaultyRow as fault:
                gone.append(Gone(index, where, fault.kind, str(fault), not isinstance(fault, LeftOut)))
        return kept, gone

    def rendered(self, row: Kept) -> Kept | Gone:
        """The row with its text."""
        try:
            return row._replace(text=self.check(row.conversation))
        except FaultyRow as fault:
            return Gone(row.source_row, row.where, fault.kind, str(fault), True)
