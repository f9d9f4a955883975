"""ShareGPT rows: `conversations`, a list of `{from: human | gpt | system, value}`."""

from collections.abc import Mapping
from typing import Any

from dadeum.data.formats import Conversation
from dadeum.data.formats._turns import conversation, turns

COLUMNS = "conversations"
NAMES = ("conversations", "conversation")


def matches(columns: frozenset[str]) -> bool:
    """A column `conversations`, or `conversation`."""
    return not columns.isdisjoint(NAMES)


def convert(values: Mapping[str, Any]) -> Conversation:
    """The turns under our names of the roles."""
    name = next((n for n in NAMES if n in values), NAMES[0])
    return conversation(values, turns(values.get(name), name))
