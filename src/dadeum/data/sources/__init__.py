"""Where rows come from.

A member has `Settings` (with `part`: train, validation, test, or absent when the split draws) and two functions:
`files(settings, workspace)` gives the files that it reads, `read(settings, files)` what is in them, row by row.
A damaged row is a `Fault`, a damaged file a DataError. Members that read plain files share `_files` and tell by
`SUFFIXES` which are of their kind.

What has to be fetched first: a member with `title`, `commit` and `download` lies on the Hub; one with `waits` and `fill`
writes a file that is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from dadeum.core.family import Family
from dadeum.core.workspace import Workspace
from dadeum.data.packed import inner

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


class Row(NamedTuple):
    """One row: its cells as read, `file:line`, and the part that it is pinned to."""

    values: dict[str, Any]
    where: str
    part: Part | None = None


class Fault(NamedTuple):
    """A row that cannot be used: `file:line`, the reason in words, and the kind that reports count it under."""

    where: str
    reason: str
    kind: str = "damaged row"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a source tells at the end of each file: encoding, blank lines that were skipped, other counts, its origin."""

    file: Path
    encoding: str | None = None
    blank: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    origin: str | None = None


class SourceModule(Protocol):
    """What the file of a member defines."""

    def files(self, settings: Any, workspace: Workspace) -> list[Path]:
        """The files to read; DataError where one is missing or empty, or a folder holds none."""

    def read(self, settings: Any, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
        """Rows and faults in the order of the file, and facts at the end of each."""


SOURCES = Family("dadeum.data.sources")


def suffixes() -> dict[str, str]:
    """Endings of files, and the member that reads each."""
    return {suffix: kind for kind in SOURCES.names for suffix in getattr(SOURCES.member(kind), "SUFFIXES", ())}


def kind_of(path: Path) -> str | None:
    """The member that reads a file with this name, compressed or not; None where none does."""
    return suffixes().get(inner(path).suffix.lower())
