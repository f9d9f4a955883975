"""Rows of plain text, for `train.objective=pretrain`."""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, first_text
from dadeum.data.formats import LAST, Conversation

COLUMNS = "text"
READS = ("text", "category")
RANK = LAST


def matches(columns: frozenset[str]) -> bool:
    """A column `text`."""
    return "text" in columns


def convert(values: Mapping[str, Any]) -> Conversation:
    """The text as it is."""
    text = first_text(values, ("text",))
    if text is None:
        raise FaultyRow("no text", say("column 'text' is blank", "'text' 열이 비어 있습니다"))
    return Conversation(text=text, category=first_text(values, ("category",)))
