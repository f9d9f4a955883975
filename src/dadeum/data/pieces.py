"""Long texts from short ones: a text is cut at its control tokens, and every distinct piece is encoded once.

A byte-level BPE tokenizer does the same inside: control tokens are taken out first, and what lies between them is encoded
piece by piece. So the ids of a whole are the ids of its pieces, and a chat's frames and system prompts cost nothing after
the first time. Where a border falls inside a piece, the piece must begin with the ids of its part up to there; where it
does not, a token straddles the border, and the caller has to cut it (`tokens.py`). Knows no messages.
"""

import json
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Pieces that are remembered: frames, system prompts, questions that come again.
REMEMBERED = 100_000
WIDTH = 4  # bytes of an id: ids are kept as the memory of an int32 array


class Pieces:
    """Encodes texts by their pieces. `of` says whether a tokenizer allows it."""

    def __init__(self, backend: Any, control: Sequence[str]) -> None:
        """`control`: the strings of all added tokens, at which the tokenizer itself cuts."""
        self._backend = backend
        longest_first = sorted(control, key=len, reverse=True)
        self._control = re.compile(f"({'|'.join(map(re.escape, longest_first))})")
        self.control = frozenset(control)
        self._known: dict[str, bytes] = {}

    @classmethod
    def of(cls, backend: Any) -> "Pieces | None":
        """None where the tokenizer does more than take its control tokens out and encode what is between them."""
        described = json.loads(backend.to_str())
        added, model = described["added_tokens"], described["model"]
        plain = all(not (t["lstrip"] or t["rstrip"] or t["single_word"]) for t in added)
        before = described["normalizer"] is None or not any(t["normalized"] for t in added)
        bytes_only = model["type"] == "BPE" and model.get("unk_token") is None and not model.get("dropout")
        if added and plain and before and bytes_only and _byte_level(described["pre_tokenizer"]):
            return cls(backend, [t["content"] for t in added])
        return None

    def encode(self, texts: Sequence[str], borders: Sequence[Sequence[int]]) -> list[tuple[bytes, list[int]] | None]:
        """Of each text its ids (int32), and at which of them each border (a character position, rising) lies.

        None for a text in which a token lies across a border.
        """
        cut = [self._cut(text, of_text) for text, of_text in zip(texts, borders, strict=True)]
        wanted: dict[str, None] = {}
        for pieces, parts, _ in cut:
            wanted.update(dict.fromkeys(pieces))
            wanted.update(dict.fromkeys(parts))
        known = self.known(wanted)
        return [_joined(known, *found) for found in cut]

    def cut(self, text: str) -> list[str]:
        """Control tokens and what stands between them, blanks included, nothing empty."""
        return [piece for piece in self._control.split(text) if piece]

    def _cut(self, text: str, borders: Sequence[int]) -> tuple[list[str], list[str], list[int]]:
        """The pieces of a text; for each border the part of its piece up to there, and which piece that is."""
        pieces = [*self._control.split(text), ""]
        parts: list[str] = []
        owners: list[int] = []
        at = number = 0
        for border in borders:
            while border >= at + len(pieces[number]) and number < len(pieces) - 1:
                at += len(pieces[number])
                number += 1
            parts.append(pieces[number][: border - at])
            owners.append(number)
        return pieces, parts, owners

    def known(self, wanted: Iterable[str]) -> dict[str, bytes]:
        """The ids of these pieces, among those of others."""
        if len(self._known) > REMEMBERED:
            self._known = {}
        missing = list(dict.fromkeys(piece for piece in wanted if piece not in self._known))
        if missing:
            encoded = self._backend.encode_batch_fast(missing, add_special_tokens=False)
            self._known.update((p, array("i", e.ids).tobytes()) for p, e in zip(missing, encoded, strict=True))
        return self._known


def _joined(
    known: Mapping[str, bytes], pieces: Sequence[str], parts: Sequence[str], owners: Sequence[int]
) -> tuple[bytes, list[int]] | None:
    ids: list[bytes] = []
    places: list[int] = []
    size = border = 0
    for number, piece in enumerate(pieces):
        own = known[piece]
        while border < len(owners) and owners[border] == number:
            head = known[parts[border]]
            if not own.startswith(head):
                return None
            places.append((size + len(head)) // WIDTH)
            border += 1
        ids.append(own)
        size += len(own)
    return b"".join(ids), places


def _byte_level(before: Any) -> bool:
    """Whether what is done before the model ends with the bytes of the text as they are."""
    if not isinstance(before, dict):
        return False
    if before["type"] == "Sequence":
        *earlier, last = before["pretokenizers"]
        return _byte_level(last) and all(p["type"] in ("Split", "Digits", "Punctuation") for p in earlier)
    return before["type"] == "ByteLevel" and not before["add_prefix_space"]
