"""Rows of a file on their way to a model with heads: read as training reads them, but without their labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow, by_name, list_of
from dadeum.data.clean import Cleaner
from dadeum.data.formats import FORMATS, Conversation
from dadeum.data.kinds import Recogniser
from dadeum.data.labelled import Texts
from dadeum.data.sources import SOURCES, Fault, Row, kind_of, suffixes
from dadeum.generate.predictor import Ids, Predictor

# What stands for the label that a row does not have to have: formats read none without.
STAND_INS: dict[str, dict[str, Any]] = {"labels": {"label": "0"}, "choices": {"answer": "A"}}
WORDS_OF = "words"
# Columns that a file must have, whatever it has beside.
NEEDED = {
    "labels": "text (or document, sentence, comments …; sentence1 and sentence2)",
    "words": "tokens (or words), or text",
    "choices": "question, choices",
    "pair": "prompt, chosen, rejected; or messages",
}


class Survey(NamedTuple):
    """A file before it is worked on: how many rows it has, and the columns of all of them."""

    rows: int
    columns: list[str]


@dataclass(frozen=True)
class Asked:
    """One row: its cells, the sequences that the model reads, and of words where each begins (None: in no token)."""

    values: Mapping[str, Any]
    sequences: list[Ids]
    words: list[tuple[str, int | None]]
    cut: bool


def rows(path: Path) -> Iterator[Row]:
    """The rows of a file. Raises DataError: no such file, unknown kind, a damaged row."""
    if path.is_dir():
        raise DataError(
            say(f"{path}: is a folder, expected a file of rows", f"{path}: 행이 든 파일이 아니라 폴더입니다")
        )
    if not path.is_file():
        raise DataError(say(f"{path}: no such file", f"{path}: 그런 파일이 없습니다"))
    kind = kind_of(path)
    if kind is None:
        known = ", ".join(sorted(suffixes()))
        raise DataError(
            say(
                f"{path}: found '{path.suffix}', expected one of: {known}",
                f"{path}: '{path.suffix}' 파일입니다. 쓸 수 있는 것: {known}",
            )
        )
    member = SOURCES.member(kind)
    settings = member.Settings(path=str(path.resolve()))
    for found in member.read(settings, member.files(settings, Workspace(path.resolve().parent))):
        if isinstance(found, Fault):
            raise DataError(f"{found.where}: {found.reason}")
        if isinstance(found, Row):
            yield found


def survey(path: Path) -> Survey:
    """Read it through. Raises as `rows` does, and for a file without rows."""
    count, columns = 0, dict[str, None]()
    for row in rows(path):
        count += 1
        columns.update(dict.fromkeys(row.values))
    if not count:
        raise DataError(say(f"{path}: holds no row", f"{path}: 행이 하나도 없습니다"))
    return Survey(count, list(columns))


class Reader:
    """Makes of rows what the model reads; `columns` as `data.columns` has them: our name, and the file's."""

    def __init__(self, predictor: Predictor, path: Path, found: Survey, columns: Mapping[str, str]) -> None:
        self.predictor, self.takes = predictor, predictor.takes
        self.texts = Texts(predictor.tokenizer)
        self.renderer = predictor.contract.renderer(predictor.tokenizer)
        self.clean = Cleaner(predictor.contract.system_prompt)
        there = by_name(dict.fromkeys(found.columns))
        self.split = self.takes == "words" and not any(name in there for name in FORMATS.member(WORDS_OF).WORDS)
        takes: Any = "labels" if self.split else self.takes
        self.stand_in = STAND_INS.get(takes, {})
        if takes == "words":
            self.stand_in = {"ner_tags": None}
        recognise = Recogniser(columns=columns, takes=takes)
        try:
            self.convert, kind = recognise(path.name, [*found.columns, *(n for n in self.stand_in if n not in there)])
        except DataError:
            raise _unfit(path, found.columns, columns, takes) from None
        if takes != "pair" and getattr(FORMATS.member(kind), "GIVES", "") != takes:
            raise _unfit(path, found.columns, columns, takes)

    def __call__(self, row: Row) -> Asked:
        """Raises DataError with the row's place."""
        try:
            return self._read(row)
        except DataError as error:
            raise DataError(f"{row.where}: {error}") from None

    def _read(self, row: Row) -> Asked:
        values = by_name(row.values) | self.stand_in
        if "ner_tags" in self.stand_in:
            values["ner_tags"] = ["O"] * self._words(values)
        made = self.convert(values)
        made = made if made.messages else self.clean(made)
        words: list[tuple[str, int | None]] = []
        if self.takes == "words":
            ids, words = self._tagged(made)
            sequences = [ids]
        elif self.takes == "choices":
            sequences = self.texts.ids([(made.text or "", choice) for choice in made.choices])
        elif self.takes == "pair":
            sequences = self._conversations(made)
        else:
            sequences = self.texts.ids([(made.text or "", made.second)])
        if not all(len(ids) for ids in sequences):
            raise FaultyRow("no text", say("the tokenizer makes no token of it", "토크나이저가 토큰을 만들지 않습니다"))
        limit = self.predictor.context
        cut = limit is not None and any(len(ids) > limit for ids in sequences)
        words = [(word, at if at is None or limit is None or at < limit else None) for word, at in words]
        return Asked(row.values, [np.asarray(ids[:limit], np.int32) for ids in sequences], words, cut)

    def _words(self, values: Mapping[str, Any]) -> int:
        column = next(name for name in FORMATS.member(WORDS_OF).WORDS if name in values)
        return len(list_of(values[column], column))

    def _tagged(self, made: Conversation) -> tuple[list[int], list[tuple[str, int | None]]]:
        text, words = made.text or "", made.words
        if self.split:
            words = tuple(text.split())
            text = " ".join(words)
        ((ids, firsts),) = self.texts.words([(text, words)])
        starts = {word: at for at, word in reversed(list(enumerate(firsts))) if word >= 0}
        return ids, [(word, starts.get(number)) for number, word in enumerate(words)]

    def _conversations(self, made: Conversation) -> list[list[int]]:
        both = [made.messages, *([made.rejected] if made.rejected else [])]
        talks = [self.clean(made._replace(messages=talk, rejected=())).messages for talk in both]
        found = []
        for sample in self.renderer.samples_batch(([dict(m) for m in talk] for talk in talks), "last_assistant"):
            if isinstance(sample, DataError):
                raise sample
            found.append(sample[0].input_ids.tolist())
        return found


def _unfit(path: Path, there: list[str], columns: Mapping[str, str], takes: str) -> DataError:
    """The sentence of columns that are not those of training; it does not tell of labels, which need not be there."""
    found, lost = ", ".join(there), [theirs for theirs in columns.values() if theirs not in there]
    if lost:
        near = hint(nearest(lost[0], there))
        return DataError(
            say(
                f"{path}: --column: no column '{lost[0]}', found: {found}{near}",
                f"{path}: --column: '{lost[0]}' 열이 없습니다. 있는 열: {found}{near}",
            )
        )
    expected = NEEDED[takes]
    return DataError(
        say(
            f"{path}: found columns {found}, expected {expected}; say which is which, such as --column text=본문",
            f"{path}: 열이 {found}입니다. 필요한 열: {expected}. --column text=본문처럼 어느 열이 무엇인지 적으세요",
        )
    )


def chunks(asked: Iterator[Asked], size: int) -> Iterator[list[Asked]]:
    """So many at a time."""
    while some := list(islice(asked, size)):
        yield some
