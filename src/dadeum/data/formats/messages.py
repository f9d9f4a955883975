"""Rows with a column `messages`: a list of `{role, content}`, with calls of tools and reasoning where there are any."""

from collections.abc import Mapping
from typing import Any

from dadeum.data.formats import TALK, Conversation
from dadeum.data.formats._turns import BESIDE, conversation, turns

COLUMNS = "messages"
READS = ("messages", *BESIDE)
RANK = TALK


def matches(columns: frozenset[str]) -> bool:
    """A column `messages`."""
    return "messages" in columns


def convert(values: Mapping[str, Any]) -> Conversation:
    """The messages as they are."""
    return conversation(values, turns(values.get("messages"), "messages"))
