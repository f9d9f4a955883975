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
BETWEEN = re.compile(r"(?<=[A-Za-z가-힣])(?= [A-Za-z가-힣])")  # two words, one space apart
# How GPT-2, Llama 3 and Qwen 2 cut: a run of letters ends before a space, and one space goes with the letters behind it.
LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CUTS = {
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    *(rf"(?i:'s|'t|'re|'ve|'m|'ll|'d)|{LETTERS}|{digits}|{REST}" for digits in (r"\p{N}", r"\p{N}{1,3}")),
}
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
        # Words come again more often than pieces, where the tokenizer cuts before the space of a word anyway.
        plain = type(backend.normalizer).__name__ in ("NoneType", "NFC")  # knows no neighbours across a space
        apart = plain and _words_apart(json.loads(backend.pre_tokenizer.__getstate__()))
        self._between = BETWEEN if apart else None
        self._words: dict[str, bytes] = {}

    @classmethod
    def of(cls, backend: Any) -> "Pieces | None":
        """None where the tokenizer does more than take its control tokens out and encode what is between them."""
        added, model = list(backend.get_added_tokens_decoder().values()), backend.model
        plain = all(not (t.lstrip or t.rstrip or t.single_word) for t in added)
        before = backend.normalizer is None or not any(t.normalized for t in added)
        bytes_only = type(model).__name__ == "BPE" and model.unk_token is None and not model.dropout
        cutter = backend.pre_tokenizer
        if added and plain and before and bytes_only and cutter and _byte_level(json.loads(cutter.__getstate__())):
            return cls(backend, [t.content for t in added])
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
        if not missing:
            return self._known
        if self._between is None:
            self._encode(missing, self._known)
        else:
            if len(self._words) > REMEMBERED:
                self._words = {}
            cut = [self._between.split(piece) for piece in missing]
            words = self._words
            self._encode(list(dict.fromkeys(word for of in cut for word in of if word not in words)), words)
            for piece, of in zip(missing, cut, strict=True):
                self._known[piece] = words[of[0]] if len(of) == 1 else b"".join([words[word] for word in of])
        return self._known

    def _encode(self, texts: list[str], known: dict[str, bytes]) -> None:
        encoded = self._backend.encode_batch_fast(texts, add_special_tokens=False)
        known.update((text, array("i", e.ids).tobytes()) for text, e in zip(texts, encoded, strict=True))


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


def _words_apart(before: Any) -> bool:
    """Whether what is done before the model cuts before a space between two letters, whatever stands around them."""
    if before["type"] == "Sequence":
        return any(_words_apart(part) for part in before["pretokenizers"])
    if before["type"] == "Split":
        whole = before["behavior"] == "Isolated" and not before["invert"]
        return whole and before["pattern"].get("Regex") in CUTS
    return before["type"] == "ByteLevel" and bool(before["use_regex"])
