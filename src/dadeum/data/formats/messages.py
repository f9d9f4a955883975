"""Rows with a column `messages`: a list of `{role, content}`."""

from collections.abc import Mapping
from typing import Any

from dadeum.data.formats import Conversation
from dadeum.data.formats._turns import conversation, turns

COLUMNS = "messages"


def matches(columns: frozenset[str]) -> bool:
    """A column `messages`."""
    return "messages" in columns


def convert(values: Mapping[str, Any]) -> Conversation:
    """The messages as they are."""
    return conversation(values, turns(values.get("messages"), "messages"))
