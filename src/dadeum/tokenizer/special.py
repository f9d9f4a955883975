"""Special and added tokens: what a tokenizer calls them, which ids they have, how their strings and any text are cut.

Knows no chat template. Imports no torch.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dadeum.tokenizer.readable import Pieces, visible

ROLES = ("bos", "eos", "pad", "unk", "cls", "sep", "mask")
ADDITIONAL, ADDED = "additional", "added"
HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
# No blanks around: the closest neighbours that a special string can have in running text.
BEFORE, AFTER = "가", "나"


@dataclass(frozen=True)
class Piece:
    """One token of a text: its id, how people read it, and the characters that it covers.

    `special` is what is no ordinary text (special, added, unknown); `framed` what the tokenizer put there unasked.
    """

    id: int
    text: str
    start: int
    end: int
    special: bool = False
    framed: bool = False


@dataclass(frozen=True)
class SpecialToken:
    """One special or added token; `pieces` is how its string is cut where it stands inside a text.

    `id` is None for a string that is no token. `strips` names the sides on which it swallows blanks.
    """

    name: str
    id: int | None
    roles: tuple[str, ...]
    special: bool
    pieces: tuple[Piece, ...]
    alone: bool
    between_blanks: bool
    strips: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether its string inside a text is read as this very token."""
        return self.id is not None and [p.id for p in self.pieces] == [self.id]


@dataclass(frozen=True)
class Counts:
    """What a text costs: `framing` are the tokens that the tokenizer adds around it, not among `tokens`."""

    tokens: int
    framing: int
    characters: int
    bytes: int
    hangul: int
    hangul_tokens: int

    @property
    def tokens_per_hangul(self) -> float | None:
        """Tokens that hold Hangul, for each letter of Hangul; None where there is none."""
        return self.hangul_tokens / self.hangul if self.hangul else None


def named_roles(tokenizer: Any) -> dict[str, list[str]]:
    """Token to its roles: bos, eos, pad, unk, cls, sep, mask."""
    found: dict[str, list[str]] = {}
    for role in ROLES:
        name = getattr(tokenizer, f"{role}_token", None)
        if name:
            found.setdefault(str(name), []).append(role)
    return found


def special_tokens(tokenizer: Any) -> list[SpecialToken]:
    """Every special and added token by id."""
    roles = named_roles(tokenizer)
    added = sorted(tokenizer.added_tokens_decoder.items())
    names: dict[str, tuple[int, Any]] = {token.content: (number, token) for number, token in added}
    for name in roles:
        names.setdefault(name, (tokenizer.convert_tokens_to_ids(name), None))
    found = []
    for (name, (number, token)), cuts in zip(names.items(), _cuts(tokenizer, list(names)), strict=True):
        special = token is None or bool(token.special)
        given = tuple(roles.get(name, [ADDITIONAL if special else ADDED]))
        strips = tuple(side for side, on in (("left", token and token.lstrip), ("right", token and token.rstrip)) if on)
        found.append(_token(name, number, given, special, strips, cuts))
    return sorted(found, key=lambda t: (t.id is None, t.id or 0))


def as_text(tokenizer: Any, names: Sequence[str], role: str) -> list[SpecialToken]:
    """Strings that look like control tokens and are none."""
    cuts = _cuts(tokenizer, names)
    return [_token(name, None, (role,), False, (), of_name) for name, of_name in zip(names, cuts, strict=True)]


def _token(
    name: str,
    number: int | None,
    roles: tuple[str, ...],
    special: bool,
    strips: tuple[str, ...],
    cuts: Sequence[list[Piece]],
) -> SpecialToken:
    inside, *others = cuts
    alone, spaced = ([p.id for p in pieces] == [number] for pieces in others)
    return SpecialToken(name, number, roles, special, tuple(inside), alone, spaced, strips)


def _cuts(tokenizer: Any, names: Sequence[str]) -> list[list[list[Piece]]]:
    """Of each name its own pieces: inside a text, alone, between blanks."""
    around = ((BEFORE, AFTER), ("", ""), (f"{BEFORE} ", f" {AFTER}"))
    found = _cut_all(tokenizer, [before + name + after for name in names for before, after in around], frame=False)
    return [
        [_own(found[len(around) * i + j], name, len(before)) for j, (before, _) in enumerate(around)]
        for i, name in enumerate(names)
    ]


def _own(pieces: Sequence[Piece], name: str, start: int) -> list[Piece]:
    inside = [p for p in pieces if p.start < start + len(name) and p.end > start]
    # A SentencePiece tokenizer puts a blank that nobody wrote before what it sees first.
    return [p for p in inside if p.text.strip("␣") or not name.strip(" ▁")]


def cut(tokenizer: Any, text: str, *, frame: bool = True) -> list[Piece]:
    """The tokens of a text; with `frame`, as the tokenizer encodes plain text by itself (BOS where it has that rule)."""
    return _cut_all(tokenizer, [text], frame=frame)[0]


def _cut_all(tokenizer: Any, texts: Sequence[str], *, frame: bool) -> list[list[Piece]]:
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    marked = {n for n, token in tokenizer.added_tokens_decoder.items() if token.content.strip(" \t\r\n▁")}
    if tokenizer.unk_token_id is not None:
        marked.add(tokenizer.unk_token_id)
    names = Pieces(tokenizer)
    return [
        [
            Piece(
                n,
                t if n in marked else on_one_line(names.name(n).replace("▁", " ")),
                start,
                end,
                n in marked,
                mask == 1,
            )
            for n, t, (start, end), mask in zip(e.ids, e.tokens, e.offsets, e.special_tokens_mask, strict=True)
        ]
        for e in backend.encode_batch(list(texts), add_special_tokens=frame)
    ]


def on_one_line(name: str) -> str:
    """A token as it can be shown anywhere: blanks as `␣`, line ends as `\\n`, nothing that acts on a terminal."""
    return visible(name.replace("\n", "\\n").replace(" ", "␣"))


def count(pieces: Sequence[Piece], text: str) -> Counts:
    """Tokens, characters and bytes of a text."""
    own = [p for p in pieces if not p.framed]
    korean = [p for p in own if HANGUL.search(text, p.start, p.end) and p.text.strip("␣")]
    letters = len(HANGUL.findall(text))
    return Counts(len(own), len(pieces) - len(own), len(text), len(text.encode()), letters, len(korean))
