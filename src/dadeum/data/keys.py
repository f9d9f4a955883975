"""By what rows are compared: the same prompt, the same row to the letter or but for case and white space, the same answer.

Digests of 16 bytes: that any two of ten million different texts share one has a chance below 1 in 10^24.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dadeum.data.cells import plain_name, text_of
from dadeum.data.formats import Conversation, Message
from dadeum.data.turns import WEIGHT

SIZE = 16
ABSENT = bytes(SIZE)
Rows = npt.NDArray[np.bool_]
IDS = ("id", "_id", "uid", "uuid", "guid")
_IDS = frozenset(IDS)


class Keys(NamedTuple):
    """What a row is compared by, after cleaning, as it is trained."""

    prompt: bytes  # all messages before the last answer, or the whole text: rows with the same are twins
    exact: bytes  # all messages with their roles, or the whole text
    loose: bytes  # the same, normalised
    answer: bytes  # the last answer, normalised; ABSENT for plain text


def normalised(text: str) -> str:
    """Text as twins are compared: NFC, without case, every run of white space one blank; punctuation counts."""
    return unicodedata.normalize("NFC", " ".join(unicodedata.normalize("NFC", text).casefold().split()))


def keys(conversation: Conversation, seed: int) -> Keys:
    """The keys of a row. `seed` decides in which order the prompts' digests stand, and so what a split draws."""
    if conversation.text is not None:
        if conversation.second is not None or conversation.choices or conversation.labels:
            return _labelled(conversation, seed)
        plain = normalised(conversation.text)
        return Keys(_drawn(seed, plain), digest([conversation.text]), digest([plain]), ABSENT)
    roles = [m["role"] for m in conversation.messages]
    texts = [m["content"] if len(m) == 2 else m["content"] + _more(m) for m in conversation.messages]
    loose = [normalised(text) for text in texts]
    prompt = "\x1f".join([f"{role}\x1e{text}" for role, text in zip(roles[:-1], loose[:-1], strict=True)])
    exact = _talk(roles, texts)
    same = exact if loose == texts else _talk(roles, loose)
    if conversation.rejected or conversation.wanted is not None:
        judged = [f"{conversation.wanted}", *(m["content"] + _more(m) for m in conversation.rejected)]
        exact, same = (
            digest([key.hex(), *judged_as]) for key, judged_as in ((exact, judged), (same, map(normalised, judged)))
        )
    return Keys(_drawn(seed, prompt), exact, same, digest(loose[-1:]))


def _labelled(row: Conversation, seed: int) -> Keys:
    """What is asked is all texts of the row; what it says is these and its labels."""
    texts = [row.text or "", *([row.second] if row.second is not None else []), *row.choices]
    loose, said = [normalised(text) for text in texts], json.dumps(row.labels, ensure_ascii=False, default=str)
    asked = "\x1f".join(loose)
    return Keys(_drawn(seed, asked), digest([*texts, said]), digest([*loose, said]), ABSENT)


def _more(message: Message) -> str:
    """What a message says beside its text: calls, reasoning, the tools of the conversation. What it counts, it does not say."""
    rest = {key: value for key, value in message.items() if key not in ("role", "content", WEIGHT)}
    if not rest:
        return ""
    return "\x1d" + json.dumps(rest, ensure_ascii=False, sort_keys=True)


def row_id(values: Mapping[str, Any]) -> str | None:
    """What the row's id column holds as text; None without one, where it is blank, and where it is no id."""
    if _IDS.isdisjoint(map(plain_name, values)):
        return None
    named = {plain_name(column): value for column, value in values.items()}
    value = next((named[name] for name in IDS if name in named), None)
    return None if isinstance(value, (list, dict, bytes, tuple)) else text_of(value, "id")


def id_key(source: int, found: str) -> bytes:
    """An id within its source."""
    return digest([f"{source} {found}"])


def _talk(roles: Sequence[str], texts: Sequence[str]) -> bytes:
    """One key of all messages. A role is a word: where it ends is plain."""
    whole = "".join([f"{role} {len(text)} {text}" for role, text in zip(roles, texts, strict=True)])
    return hashlib.sha256(whole.encode()).digest()[:SIZE]


def _drawn(seed: int, key: str) -> bytes:
    return hashlib.sha256(f"{seed}\x00{key}".encode()).digest()[:SIZE]


def digest(texts: Sequence[str]) -> bytes:
    """One key of several texts: where one ends and the next begins counts."""
    return hashlib.sha256("".join([f"{len(text)} {text}" for text in texts]).encode()).digest()[:SIZE]


class Column:
    """One key of each row, in the order of rows."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes) // SIZE

    def add(self, keys: bytes) -> None:
        """The key of the next row, or of several."""
        self._bytes += keys

    def at(self, row: int) -> bytes:
        """The key of a row."""
        return bytes(self._bytes[row * SIZE : (row + 1) * SIZE])

    @property
    def halves(self) -> npt.NDArray[np.uint64]:
        """Of each row its key as two numbers."""
        return np.frombuffer(self._bytes, ">u8").reshape(-1, 2)

    def groups(self, chosen: Rows | None = None) -> "Groups":
        """Rows with the same key, of the chosen ones."""
        halves = self.halves
        if chosen is not None:
            halves = halves[chosen]
        return Groups(halves[:, 0].astype(np.uint64), halves[:, 1].astype(np.uint64))

    @property
    def present(self) -> Rows:
        """The rows that have a key."""
        halves = self.halves
        found: Rows = (halves[:, 0] != 0) | (halves[:, 1] != 0)
        return found


class Groups:
    """Rows with the same key. Groups are numbered in the order of their keys."""

    def __init__(self, high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> None:
        order = np.lexsort((low, high))
        new = np.ones(len(order), np.bool_)
        new[1:] = (np.diff(high[order]) != 0) | (np.diff(low[order]) != 0)
        # Of each row its group's number.
        self.of_row = np.empty(len(order), np.int64)
        self.of_row[order] = np.cumsum(new) - 1
        # Of each group its rows.
        self.sizes = np.bincount(self.of_row, minlength=int(new.sum()))

    @property
    def repeats(self) -> int:
        """Rows whose key came before."""
        return len(self.of_row) - len(self.sizes)
