"""Kinds of rows, recognised by their columns, or named by `data.format`.

A member has `COLUMNS` (what it expects, in words for the error message), `READS` (the columns that it looks at, plain
names), `RANK` (of several members that match, the one of the highest rank is meant; two of the same are no answer; before
all others stands one whose `GIVES` is what the training takes), `matches(columns)` and `convert(values)`. A row becomes a
`Conversation`, or a FaultyRow says why it cannot.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from dadeum.core.family import Family

# `role` and `content` (text), and what else a message says: `tool_calls`, `reasoning_content`, `name`, `tool_call_id`; and
# `weight`, what an answer counts in training, where that is not 1.
Message = dict[str, Any]
# Where an image stands in a text.
IMAGE = "<image>"


NO_LABELS: Mapping[str, Any] = {}


class Conversation(NamedTuple):
    """Messages with roles, or plain text; never both. The rest is what a row says beside them."""

    messages: tuple[Message, ...] = ()
    text: str | None = None
    category: str | None = None
    query: str | None = None
    reference: str | None = None
    tools: tuple[dict[str, Any], ...] = ()  # JSON schemas of what the assistant may call
    images: tuple[str, ...] = ()  # files or addresses, one for each IMAGE in the messages
    rejected: tuple[Message, ...] = ()  # the conversation with the worse answer; `messages` ends with the better one
    wanted: bool | None = None  # whether the answer is one to learn, where rows are rated one by one
    second: str | None = None  # of two sentences; `text` is the first
    labels: Mapping[str, Any] = NO_LABELS  # by column: a class, a score, or a list of them
    words: tuple[str, ...] = ()  # that `text` is made of, where each has a label
    choices: tuple[str, ...] = ()  # answers to the question `text`
    answers: tuple[str, ...] = ()  # all right answers, where there are several; the last message is one of them
    group: str | None = None  # the name of the context that it shares with other rows


class FormatModule(Protocol):
    """What the file of a member defines."""

    COLUMNS: str
    READS: tuple[str, ...]
    RANK: int

    def matches(self, columns: frozenset[str]) -> bool:
        """Whether rows with these columns (plain names) are of this kind."""

    def convert(self, values: Mapping[str, Any]) -> Conversation:
        """The row (under plain names) as a conversation. Raises FaultyRow."""


FORMATS = Family("dadeum.data.formats")
# Ranks. Prepared sets carry their rendered text beside the messages, and classified texts are texts too.
# What only some heads read is taken where such a head wants it, or where nothing else fits.
WANTED, LAST, LABELLED, TALK, COMPARED = range(-1, 4)
