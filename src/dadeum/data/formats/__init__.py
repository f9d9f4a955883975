"""Kinds of rows, recognised by their columns.

A member has `COLUMNS` (what it expects, in words for the error message), `matches(columns)` and `convert(values)`.
A row becomes a `Conversation`, or a FaultyRow says why it cannot.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dadeum.core.family import Family

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages with roles, or plain text; never both."""

    messages: tuple[Message, ...] = ()
    text: str | None = None
    category: str | None = None
    query: str | None = None
    reference: str | None = None


class FormatModule(Protocol):
    """What the file of a member defines."""

    COLUMNS: str

    def matches(self, columns: frozenset[str]) -> bool:
        """Whether rows with these columns (plain names) are of this kind."""

    def convert(self, values: Mapping[str, Any]) -> Conversation:
        """The row (under plain names) as a conversation. Raises FaultyRow."""


FORMATS = Family("dadeum.data.formats")
# Taken only when nothing else fits: prepared sets carry their rendered text beside the messages.
LAST = "text"
