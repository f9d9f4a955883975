"""Rows parted into train, validation and test, so that no prompt stands in two parts.

Twins are rows with the same normalised prompt; they stay together. Which groups are drawn depends on their content and
the seed only, never on the order of rows. A part to which sources pin rows is taken as it is and nothing is drawn for
it; a twin of such a row in a lesser part goes out, and is counted.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from dadeum.config.data import SplitSettings
from dadeum.data.formats import Conversation
from dadeum.data.sources import Part

PARTS: tuple[Part, ...] = ("train", "validation", "test")
# Where twins are pinned to several parts, the first of these keeps its rows.
PRECEDENCE: tuple[Part, ...] = ("test", "validation", "train")
# With fewer rows than this nothing is drawn unless a whole row is due.
ENOUGH = 10


def normalised(text: str) -> str:
    """Text as twins are compared: NFC, without case, every run of white space one blank; punctuation counts."""
    return unicodedata.normalize("NFC", " ".join(unicodedata.normalize("NFC", text).casefold().split()))


def prompt_key(conversation: Conversation) -> str:
    """What makes two rows twins: all messages before the last answer, or the whole text."""
    if conversation.text is not None:
        return normalised(conversation.text)
    return "\x1f".join(f"{m['role']}\x1e{normalised(m['content'])}" for m in conversation.messages[:-1])


def answer_key(conversation: Conversation) -> str | None:
    """The normalised last answer; plain text has none."""
    return normalised(conversation.messages[-1]["content"]) if conversation.messages else None


@dataclass
class Split:
    """Part of each row, None for rows that went out as twins of rows of `twin_of`."""

    parts: list[Part | None]
    twin_of: dict[int, Part] = field(default_factory=dict)
    empty: list[Part] = field(default_factory=list)


def _order(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}\x00{key}".encode()).digest()


def _due(share: float, rows: int) -> int:
    """Rows that a share asks for: rounded, at least one of ten or more."""
    if share <= 0:
        return 0
    return max(round(share * rows), 1 if rows >= ENOUGH else 0)


def split(keys: Sequence[str], pinned: Sequence[Part | None], settings: SplitSettings) -> Split:
    """The part of each row, from its prompt key and the part that its source pins it to.

    Shares are of the rows that are not pinned. `empty` names parts that were asked for and got no row.
    """
    groups: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    result = Split([None] * len(keys))
    free: list[str] = []
    for key, rows in groups.items():
        owner = next((part for part in PRECEDENCE if any(pinned[i] == part for i in rows)), None)
        if owner is None:
            free.append(key)
            continue
        for i in rows:
            # An official test part keeps its size; training takes its twins in.
            if pinned[i] == owner or (pinned[i] is None and owner == "train"):
                result.parts[i] = owner
            else:
                result.twin_of[i] = owner
    free.sort(key=lambda key: _order(settings.seed, key))
    total = sum(len(groups[key]) for key in free)
    at = 0
    asked: tuple[tuple[Part, float], ...] = (("test", settings.test), ("validation", settings.validation))
    for part, share in asked:
        due = 0 if part in pinned else _due(share, total)
        got = 0
        while got < due and at < len(free) - 1:
            for i in groups[free[at]]:
                result.parts[i] = part
            got += len(groups[free[at]])
            at += 1
        if share > 0 and part not in pinned and not got:
            result.empty.append(part)
    for key in free[at:]:
        for i in groups[key]:
            result.parts[i] = "train"
    return result
