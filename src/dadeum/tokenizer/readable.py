"""Token ids to the pieces of text that people read: a character whose bytes lie in several tokens is one piece.

Pieces joined are the decoded text. Bytes that make no character (a text that was cut inside one) are shown by their
names, `<0xEB>`, never as U+FFFD, which would hide what they are.
"""

import codecs
import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

BYTE_TOKEN = re.compile(r"<0x[0-9A-Fa-f]{2}>")
ZERO_WIDTH_JOINER = "\u200d"  # holds emoji together
_ESCAPED = re.compile("[\udc80-\udcff]")


class Piece(NamedTuple):
    """Some tokens, one after the other, and their text together."""

    text: str
    tokens: int


@functools.cache
def _bytes_of_marks() -> dict[str, int]:
    """GPT-2's byte-level alphabet: printable Latin-1 stands for itself, the rest is moved above U+0100."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in set(kept)]
    return {chr(byte): byte for byte in kept} | {chr(256 + place): byte for place, byte in enumerate(moved)}


def token_bytes(token: str) -> bytes:
    """What a token of a byte-level tokenizer stands for."""
    marks = _bytes_of_marks()
    return bytes(marks[c] for c in token) if all(c in marks for c in token) else token.encode()


def unfinished(data: bytes) -> int:
    """How many bytes at the end begin a UTF-8 character that may yet be completed: 0 to 3."""
    for count in range(1, min(3, len(data)) + 1):
        tail = data[-count:]
        if tail[0] >= 0xC2:
            if tail[0] == 0xED and count > 1 and tail[1] >= 0xA0:
                return 0  # a surrogate: Python's decoder would wait for its third byte, no UTF-8 has one
            try:
                text = codecs.getincrementaldecoder("utf-8")("strict").decode(tail)
            except UnicodeDecodeError:
                return 0
            return 0 if text else count
        if tail[0] < 0x80:
            return 0
    return 0


def named(data: bytes) -> str:
    """Bytes as text, with the names of those that make no character."""
    return _ESCAPED.sub(lambda m: f"<0x{ord(m[0]) - 0xDC00:02X}>", data.decode("utf-8", "surrogateescape"))


class Pieces:
    """Cuts ids of one tokenizer into pieces."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        decoder = tokenizer.backend_tokenizer.decoder
        kinds = decoder.__getstate__().decode() if decoder is not None else ""
        self._byte_level = '"ByteLevel"' in kinds
        self._fallback = '"ByteFallback"' in kinds

    def of(self, ids: Sequence[int]) -> list[Piece]:
        """The pieces of these ids, which together are all of them."""
        ids = [int(i) for i in ids]
        raw = [self._raw(i) for i in ids]
        found: list[tuple[int, str | None]] = []  # where a piece ends; its text where bytes tell it
        start, broken = 0, False
        for end in _ends(raw):
            data = b"".join(part for part in raw[start:end] if part is not None)
            text = named(data) if data else None
            broken = broken or (text is not None and text.encode() != data)
            found.append((end, text))
            start = end
        return self._decoded(ids, found, broken)

    def name(self, token: int) -> str:
        """One token alone: its text, or the names of its bytes."""
        raw = self._raw(token)
        return named(raw) if raw is not None else str(self._tokenizer.convert_ids_to_tokens(token))

    def _raw(self, token: int) -> bytes | None:
        """The bytes of a token where it stands for bytes."""
        name = self._tokenizer.convert_ids_to_tokens(token)
        if self._byte_level:
            return token_bytes(name)
        return bytes([int(name[3:5], 16)]) if self._fallback and BYTE_TOKEN.fullmatch(name) else None

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    def _decoded(self, ids: Sequence[int], found: list[tuple[int, str | None]], broken: bool) -> list[Piece]:
        """Texts by what each piece adds to the one before it: decoders put and strip blanks between tokens."""
        pieces: list[Piece] = []
        before = start = 0
        for end, text in found:
            if text is None:
                context, both = self._decode(ids[before:start]), self._decode(ids[before:end])
                if not both.startswith(context):
                    return self._by_prefixes(ids, [e for e, _ in found])
                text = both[len(context) :]
            pieces.append(Piece(text, end - start))
            before, start = start, end
        if broken or "".join(p.text for p in pieces) == self._decode(ids):
            return pieces
        return self._by_prefixes(ids, [e for e, _ in found])

    def _by_prefixes(self, ids: Sequence[int], ends: Sequence[int]) -> list[Piece]:
        """The slow way that no decoder can confuse: borders are where the whole text begins with that of the prefix."""
        whole = self._decode(ids)
        pieces: list[Piece] = []
        start, given = 0, 0
        for end in ends:
            prefix = whole if end == len(ids) else self._decode(ids[:end])
            if whole.startswith(prefix) and len(prefix) >= given:
                pieces.append(Piece(whole[given : len(prefix)], end - start))
                start, given = end, len(prefix)
        return pieces


def _ends(raw: Sequence[bytes | None]) -> Iterator[int]:
    """Where pieces end: after each token, but not inside a character."""
    pending = b""
    for at, part in enumerate(raw):
        pending = b"" if part is None else pending + part
        following = raw[at + 1] if at + 1 < len(raw) else None
        if following is not None and unfinished(pending) and _goes_on(pending, following):
            continue
        pending = b""
        yield at + 1


def _goes_on(pending: bytes, following: bytes) -> bool:
    """Whether the unfinished character may go on in the following bytes."""
    tail = pending[-unfinished(pending) :]
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(tail + following[:1])
    except UnicodeDecodeError:
        return False
    return True


def visible(text: str) -> str:
    """Text in which nothing hides: control characters and invisible marks by name. Line ends stay."""
    return "".join(c if c == "\n" else _visible(c) for c in text)


def _visible(character: str) -> str:
    number = ord(character)
    if character == "\t":
        return "⇥"
    if number < 0x20:
        return chr(0x2400 + number)
    if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and character != ZERO_WIDTH_JOINER:
        return f"<U+{number:04X}>"
    return character


def alone(text: str) -> str:
    """What stands for a piece that shows nothing where it stands alone; empty for one that shows something."""
    if text.strip(" "):
        return f"<U+{ord(ZERO_WIDTH_JOINER):04X}>" if text == ZERO_WIDTH_JOINER else ""
    return "␣" * len(text) or "∅"
