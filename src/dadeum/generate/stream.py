"""Token ids to text as they come, so that the pieces joined are exactly the text decoded at once. Knows no model.

A token may end inside a Hangul syllable or an emoji. What is held back is only what a later token can still change:
with byte-level BPE the bytes of an unfinished character, with byte fallback (SentencePiece) the byte tokens at the end,
because `decode` judges such a run as a whole. A literal U+FFFD is a character like any other.
"""

from collections.abc import Iterable, Sequence

from transformers import PreTrainedTokenizerFast

from dadeum.tokenizer.readable import BYTE_TOKEN, token_bytes, unfinished


def decode(tokenizer: PreTrainedTokenizerFast, ids: Sequence[int]) -> str:
    """The text of `ids` without special tokens, blanks untouched."""
    text: str = tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


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
            return text[:-1] if unfinished(b"".join(map(token_bytes, tail))) else text
        if self._fallback:
            held = len(self._ids)
            while held and BYTE_TOKEN.fullmatch(self.tokenizer.convert_ids_to_tokens(self._ids[held - 1])):
                held -= 1
            return decode(self.tokenizer, self._ids[:held])
        return decode(self.tokenizer, self._ids)
