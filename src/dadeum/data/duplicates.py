"""Rows that stand more than once: to the letter, but for case and white space, or under one id.

Compared as they are trained, after cleaning: all messages with their roles, or the whole text.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dadeum.data.cells import plain_name, text_of
from dadeum.data.formats import Conversation
from dadeum.data.sources import Part
from dadeum.data.split import PRECEDENCE, normalised

IDS = ("id", "_id", "uid", "uuid", "guid")
Key = Callable[[Conversation], bytes]


def _digest(conversation: Conversation, spelled: Callable[[str], str]) -> bytes:
    parts = [f"{len(m['role'])} {m['role']} {spelled(m['content'])}" for m in conversation.messages]
    texts = parts or [spelled(conversation.text or "")]
    found = hashlib.sha256()
    for text in (part.encode() for part in texts):
        found.update(b"%d " % len(text) + text)
    return found.digest()


def exact(conversation: Conversation) -> bytes:
    """The same for rows that are equal to the letter."""
    return _digest(conversation, str)


def loose(conversation: Conversation) -> bytes:
    """The same for rows that are equal but for case and white space."""
    return _digest(conversation, normalised)


KEYS: dict[str, Key] = {"drop_exact": exact, "drop_normalised": loose}


def row_id(values: Mapping[str, Any]) -> str | None:
    """What the row's id column holds as text; None without one, where it is blank, and where it is no id."""
    named = {plain_name(column): value for column, value in values.items()}
    value = next((named[name] for name in IDS if name in named), None)
    return None if isinstance(value, (list, dict, bytes, tuple)) else text_of(value, "id")


def repeats(keys: Iterable[object]) -> int:
    """How many came before."""
    found = list(keys)
    return len(found) - len(set(found))


def extra(keys: Sequence[bytes], pinned: Sequence[Part | None]) -> dict[int, int]:
    """Of rows with the same key all but one, and which one stays: of the part that keeps its twins, the first."""
    rank = {part: place for place, part in enumerate(PRECEDENCE)}
    order = sorted(range(len(keys)), key=lambda i: (rank[part] if (part := pinned[i]) else len(rank), i))
    stays: dict[bytes, int] = {}
    return {i: stays[keys[i]] for i in order if stays.setdefault(keys[i], i) != i}
