"""ShareGPT rows: `conversations`, a list of `{from: human | gpt | system | function_call | observation, value}`."""

from collections.abc import Mapping
from typing import Any

from dadeum.data.formats import TALK, Conversation
from dadeum.data.formats._turns import BESIDE, conversation, turns

COLUMNS = "conversations"
NAMES = ("conversations", "conversation")
READS = (*NAMES, *BESIDE)
RANK = TALK


def matches(columns: frozenset[str]) -> bool:
    """A column `conversations`, or `conversation`."""
    return not columns.isdisjoint(NAMES)


def convert(values: Mapping[str, Any]) -> Conversation:
    """The turns under our names of the roles."""
    name = next((n for n in NAMES if n in values), NAMES[0])
    return conversation(values, turns(values.get(name), name))
