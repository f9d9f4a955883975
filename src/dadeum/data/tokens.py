"""From text to ids: whole texts by offsets, cut at borders, and control tokens of user text as ordinary text.

A prompt is encoded alone, as a model is asked; what follows it is taken from the encoding of the whole text, and a token
that straddles a border is cut there. Where the text of a message holds the string of a special token, that string is
hidden from the template's and the tokenizer's eyes: it is rendered as one private-use character, the template's own
special tokens get private-use names in a copy of the tokenizer, and the literal string is put back.
"""

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.pieces import Pieces

# Planes 15 and 16 are for private use only, with room for more special tokens than any tokenizer has.
USER, TEMPLATE = 0xF0000, 0x100000
# Something for a SentencePiece tokenizer to put its prefix space before.
ANCHORS = ("\n", ".", "가", "x")


@dataclass(frozen=True)
class Token:
    """A token and the characters that it covers."""

    id: int
    start: int
    end: int


class Encoder:
    """The backend of one tokenizer, and its copy in which special tokens have private names."""

    def __init__(self, tokenizer: Any) -> None:
        """Takes what the tokenizer's special added tokens are called; the tokenizer itself stays as it is."""
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder
        self.special: dict[str, int] = {t.content: i for i, t in added.items() if t.special}
        self._names = sorted(self.special, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, self._names)) or "(?!)")
        # With thousands of names a search is slow; most texts hold none of the characters with which they begin.
        self._begins = re.compile(
            f"[{re.escape(''.join({name[0] for name in self._names}))}]" if self._names else "(?!)"
        )
        self._number = {name: i for i, name in enumerate(self._names)}
        users = f"[{chr(USER)}-{chr(USER + len(self._names))}]"
        self._written = re.compile(f"{users}|{self._special.pattern}")

    @property
    def _plain(self) -> Any:
        backend = self._untrimmed or self._tokenizer.backend_tokenizer
        # Whoever called the tokenizer with padding or truncation left both switched on in its backend.
        backend.no_padding()
        backend.no_truncation()
        return backend

    @cached_property
    def _untrimmed(self) -> Any:
        """A copy that leaves the blanks in the offsets, where the tokenizer's post-processor trims them; else None."""
        from tokenizers import Tokenizer

        backend = self._tokenizer.backend_tokenizer
        last = backend.post_processor
        if last is None or b'"trim_offsets":true' not in last.__getstate__().replace(b" ", b""):
            return None
        return Tokenizer.from_str(json.dumps(_untrim(json.loads(backend.to_str()))))

    @cached_property
    def _renamed(self) -> Any:
        from tokenizers import Tokenizer

        described = json.loads(self._tokenizer.backend_tokenizer.to_str())
        described["padding"] = described["truncation"] = None
        return Tokenizer.from_str(json.dumps(_untrim(_rename(described, self._private))))

    @property
    def _private(self) -> dict[str, str]:
        return {name: chr(TEMPLATE + i) for i, name in enumerate(self._names)}

    @cached_property
    def _prefixes(self) -> bool:
        """Whether a text encoded alone begins with a space that nobody wrote."""
        tokens = self._plain.encode("x", add_special_tokens=False).tokens
        return bool(tokens) and tokens[0][:1] in ("▁", "Ġ")

    @cached_property
    def pieces(self) -> Pieces | None:
        """The shorter way to the same ids, where the tokenizer allows it."""
        return Pieces.of(self._plain)

    def holds_special(self, text: str) -> bool:
        """Whether the string of a special token stands in the text."""
        return self._begins.search(text) is not None and self._special.search(text) is not None

    def hide_in(self, messages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Messages in which every special string is one private-use character; roles are words already."""
        return [{k: v if k == "role" else self.hide(v) for k, v in message.items()} for message in messages]

    def hide(self, value: Any) -> Any:
        """A text, or whatever holds texts, in which every special string is one private-use character."""
        if isinstance(value, str):
            if any(ord(c) >= USER for c in value):
                raise DataError(
                    say(
                        "the text holds control tokens together with private-use characters of planes 15 and 16; remove these",
                        "글에 제어 토큰과 15·16번 평면의 사용자 정의 문자가 함께 있습니다. 그 문자를 지우세요",
                    )
                )
            return self._special.sub(lambda m: chr(USER + self._number[m[0]]), value)
        if isinstance(value, Mapping):
            return {self.hide(str(k)): self.hide(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.hide(v) for v in value]
        return value

    def literal(self, text: str) -> str:
        """A render of hidden messages as people read it."""
        return self._written.sub(lambda m: self._names[ord(m[0]) - USER] if m[0][0] >= chr(USER) else m[0], text)

    def disguise(self, text: str, positions: Sequence[int]) -> tuple[str, list[int]]:
        """A render of hidden messages as the renamed copy reads it, with the positions moved along."""
        parts: list[str] = []
        moved, done, shift = list(positions), 0, 0
        private = self._private
        for match in self._written.finditer(text):
            found = match[0]
            new = self._names[ord(found) - USER] if found[0] >= chr(USER) else private[found]
            parts += [text[done : match.start()], new]
            done = match.end()
            grown = len(new) - len(found)
            moved = [m + grown if p >= match.end() else m for m, p in zip(moved, positions, strict=True)]
            shift += grown
        return "".join([*parts, text[done:]]), moved

    def ids(self, texts: Sequence[str], *, hidden: bool = False) -> list[list[int]]:
        """Ids of each text; the text gives its special tokens, none is added."""
        backend = self._renamed if hidden else self._plain
        return [e.ids for e in backend.encode_batch_fast(list(texts), add_special_tokens=False)]

    def encodings(self, texts: Sequence[str], *, hidden: bool = False) -> list[Any]:
        """Encodings with offsets into each text."""
        backend = self._renamed if hidden else self._plain
        found: list[Any] = backend.encode_batch(list(texts), add_special_tokens=False)
        return found

    def natural(self, text: str) -> list[int]:
        """Ids of plain text as the tokenizer itself frames it (BOS where it has that rule)."""
        backend = self._renamed if self.holds_special(text) else self._tokenizer.backend_tokenizer
        backend.no_padding()
        backend.no_truncation()
        ids: list[int] = backend.encode(text, add_special_tokens=True).ids
        return ids

    def piece(self, text: str, *, hidden: bool = False) -> list[Token]:
        """A part of a text, without the prefix space that some tokenizers give to what they see alone."""
        backend = self._renamed if hidden else self._plain
        if self._prefixes:
            for anchor in ANCHORS:
                found = backend.encode(anchor + text, add_special_tokens=False)
                n = len(anchor)
                if not any(start < n < end for start, end in found.offsets):
                    pairs = zip(found.ids, found.offsets, strict=True)
                    return [Token(i, start - n, end - n) for i, (start, end) in pairs if start >= n]
        found = backend.encode(text, add_special_tokens=False)
        return [Token(i, start, end) for i, (start, end) in zip(found.ids, found.offsets, strict=True)]

    def tail(self, encoding: Any, text: str, borders: Sequence[int], *, hidden: bool = False) -> list[Token]:
        """Tokens of `text` from `borders[0]` on; those that straddle a border are cut there."""
        first = borders[0]
        found = [Token(i, start, end) for i, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)]
        tokens: list[Token] = []
        at = 0
        while at < len(found):
            token = found[at]
            at += 1
            if token.start < first and token.end <= first:
                continue
            start, end = token.start, token.end
            if not any(start < c < end for c in borders):
                tokens.append(token)
                continue
            # The bytes of one character may lie in two tokens: all that share characters are made anew.
            while tokens and tokens[-1].end > start:
                start = tokens.pop().start
            while at < len(found) and found[at].start < end:
                end = max(end, found[at].end)
                at += 1
            points = [max(start, first), *(c for c in borders if max(start, first) < c < end), end]
            for left, right in itertools.pairwise(points):
                pieces = self.piece(text[left:right], hidden=hidden)
                tokens += (Token(t.id, left + t.start, left + t.end) for t in pieces)
        return tokens


def _untrim(described: dict[str, Any]) -> dict[str, Any]:
    """A tokenizer.json whose post-processor leaves the offsets as they are."""

    def untrim(processor: Any) -> None:
        if isinstance(processor, dict):
            if "trim_offsets" in processor:
                processor["trim_offsets"] = False
            for part in processor.get("processors", ()):
                untrim(part)

    untrim(described["post_processor"])
    return described


def _rename(described: dict[str, Any], private: Mapping[str, str]) -> dict[str, Any]:
    """A tokenizer.json whose special tokens have other names and the same ids."""
    for token in described["added_tokens"]:
        if token["special"]:
            token["content"] = private[token["content"]]
    model = described["model"]
    vocabulary = model["vocab"]
    if isinstance(vocabulary, dict):
        model["vocab"] = {private.get(name, name): i for name, i in vocabulary.items()}
    else:
        model["vocab"] = [[private.get(name, name), score] for name, score in vocabulary]
    if model.get("unk_token") in private:
        model["unk_token"] = private[model["unk_token"]]
    if "merges" in model:
        pairs = [m.split(" ") if isinstance(m, str) else m for m in model["merges"]]
        model["merges"] = [p for p in pairs if not {*p, "".join(p)} & private.keys()]
    return described
