"""Rows with labels to samples: ids exactly as `tokenizer(text)` writes them, and the numbers that heads learn.

Two texts go through the tokenizer's own template for pairs where that parts them, else they are joined by its sep_token,
its eos_token, or a line end. Imports no torch.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from dadeum.config.purpose import Takes
from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.assemble import Sample, text_bytes
from dadeum.data.cells import FaultyRow
from dadeum.data.labels import UNLABELLED, Head, Labels, index, numbers, said_words, unlabelled

Row = Mapping[str, Any]
Pair = tuple[str, str | None]


class Texts:
    """Texts, pairs of them and words to ids, as transformers' pipelines make them."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    @cached_property
    def separator(self) -> str | None:
        """What two texts are joined by; None where the tokenizer parts them itself."""
        tokenizer = self._tokenizer
        owners = tokenizer("가", "나").sequence_ids(0)
        if 0 in owners and 1 in owners:
            last = len(owners) - 1 - owners[::-1].index(0)
            if None in owners[last : owners.index(1)]:
                return None
        return str(tokenizer.sep_token or tokenizer.eos_token or "\n")

    def ids(self, pairs: Sequence[Pair]) -> list[list[int]]:
        """The ids of texts (text, None) and of pairs of texts."""
        found: list[list[int]] = [[] for _ in pairs]
        alone = [
            (place, one if other is None else f"{one}{self.separator}{other}")
            for place, (one, other) in enumerate(pairs)
            if other is None or self.separator is not None
        ]
        parted = [place for place, (_, other) in enumerate(pairs) if other is not None and self.separator is None]
        for places, texts in (
            ([place for place, _ in alone], ([text for _, text in alone],)),
            (parted, ([pairs[p][0] for p in parted], [pairs[p][1] for p in parted])),
        ):
            if places:
                made = self._tokenizer(*texts, return_attention_mask=False, return_token_type_ids=False, verbose=False)
                for place, ids in zip(places, made["input_ids"], strict=True):
                    found[place] = ids
        return found

    def words(self, rows: Sequence[tuple[str, Sequence[str]]]) -> list[tuple[list[int], list[int]]]:
        """Of texts and the words that they are made of: ids, and of each token the word that it is the first of, else -1.

        Where a token holds several words, it is the first of the first. Blanks are part of no word.
        """
        made = self._tokenizer(
            [text for text, _ in rows],
            return_offsets_mapping=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        found = []
        for (text, words), ids, spans in zip(rows, made["input_ids"], made["offset_mapping"], strict=True):
            found.append((ids, _firsts(_owners(text, words), spans)))
        return found


def _owners(text: str, words: Sequence[str]) -> list[int]:
    """Of each character its word, -1 for blanks. Raises FaultyRow where the text is not made of the words."""
    owners = [-1] * len(text)
    at = 0
    for number, word in enumerate(words):
        start = at if text.startswith(word, at) else at + 1
        if not text.startswith(word, start):
            raise FaultyRow(
                "other words",
                say(
                    f"the text is not made of its words: expected '{word}' at character {at}; do not change texts with labelled words by data.filters",
                    f"글이 단어들로 이루어지지 않습니다. {at}번째 글자에 '{word}'이(가) 있어야 합니다. 단어에 라벨이 있는 글은 data.filters로 바꾸지 마세요",
                ),
            )
        at = start + len(word)
        owners[start:at] = [-1 if character.isspace() else number for character in word]
    return owners


def _firsts(owners: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[int]:
    firsts, last = [], -1
    for start, end in spans:
        owner = next((owner for owner in owners[start:end] if owner >= 0), -1)
        firsts.append(owner if owner > last else -1)
        last = max(last, owner)
    return firsts


class Labelled:
    """Makes the samples of rows with labels."""

    def __init__(self, takes: Takes, labels: Labels, texts: Texts) -> None:
        self.takes, self.labels, self.texts = takes, labels, texts

    def __call__(self, rows: Sequence[Row]) -> list[list[Sample] | DataError]:
        """Of each row its sample, of a choice one for each answer; or why there is none."""
        make = {"words": self._words, "choices": self._choices}.get(self.takes, self._labels)
        return make(rows)

    def _labels(self, rows: Sequence[Row]) -> list[list[Sample] | DataError]:
        ids = self.texts.ids([(row["text"], row.get("second")) for row in rows])
        return [self._one(row, [own], row["text"]) for row, own in zip(rows, ids, strict=True)]

    def _choices(self, rows: Sequence[Row]) -> list[list[Sample] | DataError]:
        ids = iter(self.texts.ids([(row["text"], one) for row in rows for one in row["choices"]]))
        return [self._one(row, [next(ids) for _ in row["choices"]], row["text"]) for row in rows]

    def _one(self, row: Row, sequences: Sequence[list[int]], text: str) -> list[Sample] | DataError:
        try:
            targets = self.labels.targets(row)
            if all(target != target for target in targets):
                raise FaultyRow("no label", say("no label: its columns are blank", "라벨 열이 비어 있습니다"))
            made = [_sample(ids, text_bytes(text)) for ids in sequences]
        except FaultyRow as fault:
            return fault
        made[0] = made[0]._replace(targets=targets, sequences=len(made))
        return [made[0], *(one._replace(sequences=0) for one in made[1:])]

    def _placed(self, rows: Sequence[Row]) -> Sequence[tuple[list[int], list[int]] | FaultyRow]:
        """Ids and words of many rows at once; one by one, where the words of one are not its text."""
        pairs = [(row["text"], row["words"]) for row in rows]
        try:
            return self.texts.words(pairs)
        except FaultyRow as fault:
            if len(rows) == 1:
                return [fault]
            return [one for row in rows for one in self._placed([row])]

    def _words(self, rows: Sequence[Row]) -> list[list[Sample] | DataError]:
        found: list[list[Sample] | DataError] = []
        head = self.labels.heads[0]
        for row, placed in zip(rows, self._placed(rows), strict=True):
            try:
                if isinstance(placed, FaultyRow):
                    raise placed
                ids, firsts = placed
                labels = said_words(head, row)
                known = [UNLABELLED if unlabelled(one) else float(index(head, one)) for one in labels]
                targets = tuple(known[first] if first >= 0 else UNLABELLED for first in firsts)
                if all(target == UNLABELLED for target in targets):
                    raise FaultyRow("no label", say("no word of it has a label", "라벨이 있는 단어가 없습니다"))
                sample = _sample(ids, text_bytes(row["text"]))
            except FaultyRow as fault:
                found.append(fault)
                continue
            weights = np.array([target != UNLABELLED for target in targets], np.float32)
            found.append([sample._replace(weights=weights, targets=targets)])
        return found


def in_words(labels: Labels, row: Row) -> str:
    """What the row says to the heads, as people read it. Raises FaultyRow."""
    told = {head.head: _told(head, row) for head in labels.heads}
    return next(iter(told.values())) if len(told) == 1 else " · ".join(f"{name}: {one}" for name, one in told.items())


def _told(head: Head, row: Row) -> str:
    if head.kind == "words":
        pairs = zip(row["words"], said_words(head, row), strict=True)
        return " ".join(
            f"{word}/{'-' if unlabelled(one) else (head.names or ())[index(head, one)]}" for word, one in pairs
        )
    found = numbers(head, row)
    if all(number != number for number in found):
        return "-"
    if head.kind == "choice":
        return str(row["choices"][int(found[0])])
    if head.kind == "numbers":
        return ", ".join(f"{number:g}" for number in found)
    names = head.names or ()
    chosen = [names[int(found[0])]] if head.kind == "class" else [n for n, one in zip(names, found, strict=True) if one]
    return ", ".join(chosen) or "-"


def bare(takes: Takes, texts: Texts, rows: Sequence[Row]) -> list[list[Sample] | DataError]:
    """Of each row its sequences without what is to be said of them, before anybody knows the labels."""
    pairs: list[list[Pair]] = [
        [(row["text"], one) for one in row["choices"]] if takes == "choices" else [(row["text"], row["second"])]
        for row in rows
    ]
    ids = iter(texts.ids([pair for of_row in pairs for pair in of_row]))
    found: list[list[Sample] | DataError] = []
    for row, of_row in zip(rows, pairs, strict=True):
        own = [next(ids) for _ in of_row]
        try:
            found.append([_sample(one, text_bytes(row["text"])) for one in own])
        except FaultyRow as fault:
            found.append(fault)
    return found


def _sample(ids: Sequence[int], size: int) -> Sample:
    """Every token counts but the first, which nothing is learnt of elsewhere either; where it is alone, it counts."""
    if not len(ids):
        raise FaultyRow("no text", say("the tokenizer makes no token of it", "토크나이저가 토큰을 만들지 않습니다"))
    weights = np.ones(len(ids), np.float32)
    weights[0] = float(len(ids) == 1)
    return Sample(np.asarray(ids, np.int32), weights, size)
