"""Token ids to text as they come, so that the pieces joined are exactly the text decoded at once. Knows no model.

A token may end inside a Hangul syllable or an emoji. What is held back is only what a later token can still change:
with byte-level BPE the bytes of an unfinished character, with byte fallback (SentencePiece) the byte tokens at the end,
because `decode` judges such a run as a whole. A literal U+FFFD is a character like any other.
"""

import codecs
import functools
import re
from collections.abc import Iterable, Sequence

from transformers import PreTrainedTokenizerFast

BYTE_TOKEN = re.compile(r"<0x[0-9A-Fa-f]{2}>")


def decode(tokenizer: PreTrainedTokenizerFast, ids: Sequence[int]) -> str:
    """The text of `ids` without special tokens, blanks untouched."""
    text: str = tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


@functools.cache
def _bytes_of_marks() -> dict[str, int]:
    """GPT-2's byte-level alphabet: printable Latin-1 stands for itself, the rest is moved above U+0100."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in set(kept)]
    return {chr(byte): byte for byte in kept} | {chr(256 + place): byte for place, byte in enumerate(moved)}


def _token_bytes(token: str) -> bytes:
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


class TextStream:
    """Pieces of text for ids pushed one by one; `push` returns what is settled, `finish` the rest."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        backend = tokenizer.backend_tokenizer.decoder
        kinds = backend.__getstate__().decode() if backend is not None else ""
        self._byte_level = '"ByteLevel"' in kinds
        self._fallback = '"ByteFallback"' in kinds
        # Those that `decode` leaves out: more than `all_special_ids`, which knows eos, pad and their like only.
        self._special = {token for token, added in tokenizer.added_tokens_decoder.items() if added.special}
        self._ids: list[int] = []
        self._given = 0  # characters already returned

    def push(self, ids: Iterable[int]) -> str:
        """Text that these ids settle; empty while a character is unfinished."""
        self._ids += [i for i in ids if i not in self._special]
        return self._give(self._settled())

    def finish(self) -> str:
        """What was held back."""
        return self._give(decode(self.tokenizer, self._ids))

    def _give(self, text: str) -> str:
        piece = text[self._given :]
        self._given = max(self._given, len(text))
        return piece

    def _settled(self) -> str:
        if self._byte_level:
            tail = self.tokenizer.convert_ids_to_tokens(self._ids[-4:])
            text = decode(self.tokenizer, self._ids)
            # The decoder shows an unfinished character as one U+FFFD.
            return text[:-1] if unfinished(b"".join(map(_token_bytes, tail))) else text
        if self._fallback:
            held = len(self._ids)
            while held and BYTE_TOKEN.fullmatch(self.tokenizer.convert_ids_to_tokens(self._ids[held - 1])):
                held -= 1
            return decode(self.tokenizer, self._ids[:held])
        return decode(self.tokenizer, self._ids)
