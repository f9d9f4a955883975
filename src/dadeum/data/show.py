"""What a sample really trains, token by token: trained or not, special, cut. Pure: rows and samples to painted tokens.

The ids and weights are those of the samples on disk. Only what was cut comes from the row, which is rendered again; where
the samples are not what the row renders to, that is an error and nothing is painted.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dadeum.core.errors import ArtifactError, DataError
from dadeum.core.language import say
from dadeum.data.labelled import Labelled, in_words
from dadeum.data.render import Renderer, Sample
from dadeum.data.samples import Entry
from dadeum.data.turns import TrainOn, last_trained
from dadeum.tokenizer.readable import Pieces

Row = Mapping[str, Any]
Ids = npt.NDArray[np.int32]
Span = tuple[int, Ids]  # how many tokens stand before what was cut, and the ids of that


@dataclass(frozen=True)
class Token:
    """One token; `name` is its text alone, or the names of its bytes."""

    id: int
    name: str
    weight: float
    special: bool
    cut: bool

    @property
    def trained(self) -> bool:
        """Whether it is a target."""
        return not self.cut and self.weight > 0

    @property
    def paint(self) -> tuple[bool, bool, bool]:
        """Trained, special, cut: what tokens that look alike have in common."""
        return self.trained, self.special, self.cut


@dataclass(frozen=True)
class Group:
    """Tokens that are painted alike and together are some characters."""

    text: str
    tokens: tuple[Token, ...]

    @property
    def trained(self) -> bool:
        """Whether its tokens are targets."""
        return self.tokens[0].trained

    @property
    def special(self) -> bool:
        """Whether it is a special token."""
        return self.tokens[0].special

    @property
    def cut(self) -> bool:
        """Whether the model never sees it."""
        return self.tokens[0].cut


@dataclass(frozen=True)
class Painted:
    """One sample of a row, or a row of which no sample was made (`dropped` says why)."""

    row: Row
    number: int
    of: int
    groups: tuple[Group, ...]
    unknown: int = 0
    dropped: str = ""
    labels: str = ""  # what a head learns of it

    def tokens(self) -> Iterator[Token]:
        """All of them, in order."""
        return (token for group in self.groups for token in group.tokens)

    def counts(self) -> dict[str, int]:
        """How many tokens the sample has, and of which kind; what was cut is in `cut` only."""
        kept = [t for t in self.tokens() if not t.cut]
        return {
            "total": len(kept),
            "trained": sum(t.trained for t in kept),
            "special": sum(t.special for t in kept),
            "cut": sum(t.cut for t in self.tokens()),
        }

    def told(self, target: str, number: Callable[[int], str]) -> str:
        """The counts in words; `number` writes one, `target` says what is done with the counted tokens."""
        found = self.counts()
        total, trained, special, cut, unknown = map(number, (*found.values(), self.unknown))
        share = f" ({found['trained'] / found['total']:.0%})" if found["total"] else ""
        said = [
            say(f"{total} tokens", f"토큰 {total}"),
            say(f"{trained} {target}{share}", f"{target} {trained}{share}"),
            say(f"{special} special", f"특수 {special}"),
            say(f"{cut} cut", f"잘림 {cut}"),
        ]
        if self.unknown:
            said.append(say(f"{unknown} unknown to the tokenizer", f"토크나이저가 모르는 것 {unknown}"))
        weights = Counter(t.weight for t in self.tokens() if t.trained)
        if weights.keys() - {1.0}:  # messages say what they count
            each = ", ".join(f"{weight:g} × {number(count)}" for weight, count in sorted(weights.items()))
            said.append(say(f"weights {each}", f"무게 {each}"))
        return " · ".join(said)

    def text(self, *, cut: bool = False) -> str:
        """The sample as the model sees it; with `cut`, what it never sees stands where it was."""
        return "".join(g.text for g in self.groups if cut or not g.cut)


@dataclass(frozen=True)
class Painter:
    """Paints the rows of one part."""

    renderer: Renderer
    train_on: TrainOn
    pretrain: bool
    labelled: Labelled | None = None

    def row(self, row: Row, entries: Sequence[Entry], dropped: str = "") -> list[Painted]:
        """The samples of a row, painted. Raises ArtifactError where they are not what the row renders to."""
        if not entries:
            return [self._dropped(row, dropped)]
        painted = []
        for number, (entry, found) in enumerate(zip(entries, self._spans(row, entries), strict=True), 1):
            if found is None:
                raise _other(row)
            made = self._painted(row, number, len(entries), entry, *found)
            if self.labelled is not None:
                made = replace(made, labels=in_words(self.labelled.labels, row))
            verify(made, entry)
            painted.append(made)
        return painted

    def _spans(self, row: Row, entries: Sequence[Entry]) -> list[Span | None]:
        """What was cut from each sample; None where it is not of this row."""
        wholes = self._wholes(row)
        if self.labelled is not None:  # nothing is cut
            return [
                (0, entry.input_ids[:0]) if np.array_equal(entry.input_ids, whole.input_ids) else None
                for entry, whole in zip(entries, wholes, strict=True)
            ]
        if self.pretrain:
            return _chunks(entries, wholes[0])
        if len(entries) != len(wholes):
            return [None] * len(entries)
        # Where earlier answers did not fit, only the last one was kept.
        short = last_trained(row["messages"])
        last = self.renderer.samples(short, "last_assistant") if self.train_on == "assistant" else []
        bos = self.renderer.tokenizer.bos_token_id
        return [_span(entry, [whole, *last], bos) for entry, whole in zip(entries, wholes, strict=True)]

    def _wholes(self, row: Row) -> list[Sample]:
        """Before anything is cut."""
        if self.labelled is not None:
            (found,) = self.labelled([row])
            if isinstance(found, DataError):
                raise found
            return found
        if not row["messages"]:
            return [self.renderer.plain(row["text"])]
        talks = [talk for talk in (row["messages"], row.get("rejected")) if talk]  # of a pair both
        return [sample for talk in talks for sample in self.renderer.samples(talk, self.train_on)]

    def _dropped(self, row: Row, reason: str) -> Painted:
        """All of it is cut. A row that cannot be rendered has no tokens."""
        if not reason:
            raise _other(row)
        try:
            whole = self._wholes(row)[-1]
        except DataError:
            return Painted(row, 1, 1, (), 0, reason)
        return Painted(row, 1, 1, tuple(self._groups(whole.input_ids, whole.weights, cut=True)), 0, reason)

    def _painted(self, row: Row, number: int, of: int, entry: Entry, head: int, lost: Ids) -> Painted:
        # What is left is read as the model reads it, not as the end of what was cut.
        groups = self._groups(entry.input_ids, entry.weights)
        front = np.concatenate([entry.input_ids[:head], lost])
        groups[head:head] = self._groups(front, np.zeros(len(front)), cut=True)[head:]
        tokenizer = self.renderer.tokenizer
        strange = tokenizer.unk_token_id if tokenizer.unk_token_id != tokenizer.eos_token_id else None
        unknown = 0 if strange is None else int(np.count_nonzero(entry.input_ids == strange))
        return Painted(row, number, of, tuple(groups), unknown)

    def _groups(self, ids: Any, weights: Any, *, cut: bool = False) -> list[Group]:
        pieces = Pieces(self.renderer.tokenizer)
        special = special_ids(self.renderer.tokenizer)
        tokens = [
            Token(int(i), pieces.name(int(i)), float(w), int(i) in special, cut)
            for i, w in zip(ids, weights, strict=True)
        ]
        groups: list[Group] = []
        at = 0
        for piece in pieces.of(ids):
            own = tuple(tokens[at : at + piece.tokens])
            at += piece.tokens
            if len({t.paint for t in own}) == 1:
                groups.append(Group(piece.text, own))
            else:  # a character of which only a part is trained: its bytes, each in its own colour
                groups += [Group(t.name, (t,)) for t in own]
        return groups


def special_ids(tokenizer: Any) -> frozenset[int]:
    """Ids that are no text: control tokens, and the one for what the tokenizer does not know."""
    added = tokenizer.added_tokens_decoder
    return frozenset({i for i, token in added.items() if token.special} | set(tokenizer.all_special_ids))


def verify(painted: Painted, entry: Entry) -> None:
    """Hold the painted tokens against the sample on disk. Raises ArtifactError."""
    kept = [t for t in painted.tokens() if not t.cut]
    ids, weights = entry.input_ids.tolist(), entry.weights.tolist()
    if [t.id for t in kept] != ids or [t.weight for t in kept] != weights:
        raise _other(painted.row)


def _span(entry: Entry, wholes: Sequence[Sample], bos: int | None) -> Span | None:
    """Of the first render that the sample is, but for what was cut at its front."""
    for whole in wholes:
        lost = len(whole.input_ids) - len(entry.input_ids)
        head = int(lost > 0 and bos is not None and whole.input_ids[0] == bos)  # a BOS stays
        if lost < 0:
            continue
        ids = np.concatenate([whole.input_ids[:head], whole.input_ids[head + lost :]])
        weights = np.concatenate([whole.weights[:head], whole.weights[head + lost :]])
        weights[0] = 0  # the first token of a sample is never a target
        if np.array_equal(ids, entry.input_ids) and np.array_equal(weights, entry.weights):
            return head, whole.input_ids[head : head + lost]
    return None


def _chunks(entries: Sequence[Entry], whole: Sample) -> list[Span | None]:
    """Pretraining cuts nothing off: the chunks of a text are all of it."""
    ids = np.concatenate([e.input_ids for e in entries])
    weights = whole.weights.copy()
    if len(ids) != len(weights) or not np.array_equal(ids, whole.input_ids):
        return [None] * len(entries)
    weights[np.cumsum([0, *(len(e.input_ids) for e in entries[:-1])])] = 0
    same = np.array_equal(np.concatenate([e.weights for e in entries]), weights)
    return [(0, ids[:0]) if same else None for _ in entries]


def _other(row: Row) -> ArtifactError:
    where = row["where"]
    return ArtifactError(
        say(
            f"{where}: the samples on disk are not what this row renders to; delete data/processed, which is made again, and run this again",
            f"{where}: 저장된 샘플이 이 행에서 나오는 것과 다릅니다. 다시 만들 수 있는 data/processed를 지우고 다시 실행하세요",
        )
    )


def notable(source_rows: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> dict[int, str]:
    """The rows of the first, the longest and the shortest, and which they are; of equals the first in reading order."""
    if not len(source_rows):
        return {}
    rows, which = np.unique(source_rows, return_inverse=True)  # a row may have several samples
    tokens = np.bincount(which, lengths)
    found: dict[int, list[str]] = {}
    found.setdefault(int(source_rows[0]), []).append(say("first", "첫 행"))
    found.setdefault(int(rows[np.argmax(tokens)]), []).append(say("longest", "가장 긴 행"))
    found.setdefault(int(rows[np.argmin(tokens)]), []).append(say("shortest", "가장 짧은 행"))
    return {row: ", ".join(why) for row, why in found.items()}


def draw(rows: Iterable[Row], count: int) -> list[Row]:
    """So many rows by the hash of what they hold: the same ones each time, whatever stands around them."""
    return heapq.nsmallest(count, rows, key=lambda row: hashlib.sha256(plain_text(row).encode()).digest())


def plain_text(row: Row) -> str:
    """A row without a template."""
    if not row["messages"]:
        return str(row["text"])
    return "\n".join(f"{m['role']}: {m['content']}" for m in row["messages"])
