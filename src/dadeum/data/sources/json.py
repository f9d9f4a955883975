"""A JSON file that holds a list of objects, by itself or under `data` or `rows`.

The nested shape of SQuAD and KorQuAD is read too: an object with a list `qas`, or with `paragraphs` that hold such
lists, is one row for each question, under the columns of all levels (`title`, `context`, `question`, `answers`, `id`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data import charset, packed
from dadeum.data.sources import Fault, FileFacts, Part, Row, _files

LISTS = ("data", "rows")
LARGEST = 1 << 29  # bytes: the file is held in memory
BLANK = re.compile(r"[ \t\r\n]*")
SUFFIXES = (".json",)


class Settings(_files.FileSettings):
    """JSON files with a list of objects, or SQuAD's `data[].paragraphs[].qas[]`."""

    type: Literal["json"] = "json"


files = _files.files


def read(settings: Settings, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
    """Rows by the line on which each object begins. Damaged JSON ends the file with a DataError."""
    for path, name in _files.named(files):
        if packed.larger(path, LARGEST):
            raise DataError(
                say(
                    f"{path}: a JSON list may have {LARGEST} bytes, it has more; write one object a line and use type: jsonl",
                    f"{path}: JSON 목록은 {LARGEST}바이트까지인데 더 큽니다. 한 줄에 객체 하나씩 쓰고 type: jsonl을 쓰세요",
                )
            )
        codec = charset.detect(path)
        with charset.open_text(path, codec) as file:
            text = file.read()
        line = 1
        last = 0
        for start, value in _Scanner(path, text).elements():
            line += text.count("\n", last, start)
            last = start
            yield from _rows(value, f"{name}:{line}", settings.part)
        yield FileFacts(path, codec)


def _rows(value: Any, where: str, part: Part | None) -> Iterator[Row | Fault]:
    """The row that an element is, or the rows of the questions nested in it, each with its place in the nest."""
    if not isinstance(value, dict):
        found = type(value).__name__
        yield Fault(where, say(f"found a {found}, expected an object", f"객체가 아니라 {found}입니다"))
        return
    key = _nest(value)
    if key is None:
        yield Row(value, where, part)
        return
    outer = {name: cell for name, cell in value.items() if name != key}
    for number, inner in enumerate(value[key], 1):
        below = {**outer, **inner} if isinstance(inner, dict) else inner
        yield from _rows(below, f"{where} {key} {number}", part)


def _nest(value: dict[str, Any]) -> str | None:
    """The key under which rows lie: `paragraphs` is often something else, so there its items must hold `qas`."""
    if isinstance(value.get("qas"), list):
        return "qas"
    paragraphs = value.get("paragraphs")
    nested = isinstance(paragraphs, list) and any(isinstance(p, dict) and "qas" in p for p in paragraphs)
    return "paragraphs" if nested else None


@dataclass
class _Scanner:
    """Walks through the text element by element, so that each row has its line and no second copy is made."""

    path: Path
    text: str
    at: int = 0

    def elements(self) -> Iterator[tuple[int, Any]]:
        """(offset, value) of each element of the list of rows."""
        found = False
        if self.peek() == "[":
            found = True
            yield from self.array()
        elif self.peek() == "{":
            for key in self.keys():
                if not found and key in LISTS and self.peek() == "[":
                    found = True
                    yield from self.array()
                else:
                    self.value()
        if not found:
            raise self.wrong(
                say(
                    "expected a list of objects, or one under 'data' or 'rows'",
                    "객체 목록이 있거나 'data' 또는 'rows' 아래에 있어야 합니다",
                )
            )
        if self.peek():
            hint = say(
                "more after the end; is it one object a line (type: jsonl)?",
                "끝난 뒤에 내용이 더 있습니다. 한 줄에 객체 하나(type: jsonl)인가요?",
            )
            raise self.wrong(hint)

    def wrong(self, reason: str, at: int | None = None) -> DataError:
        """An error that names line and column."""
        at = self.at if at is None else at
        line = self.text.count("\n", 0, at) + 1
        column = at - self.text.rfind("\n", 0, at)
        return DataError(
            say(f"{self.path}:{line}: column {column}: {reason}", f"{self.path}:{line}: {column}번째 글자: {reason}")
        )

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        match = BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def take(self, character: str) -> None:
        """Step over this character. Raises DataError where another stands."""
        if self.peek() != character:
            raise self.wrong(say(f"expected '{character}'", f"'{character}'이(가) 있어야 합니다"))
        self.at += 1

    def value(self) -> Any:
        """The JSON value that begins here."""
        self.peek()
        try:
            value, self.at = json.JSONDecoder().raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            raise self.wrong(error.msg, error.pos) from None
        except (ValueError, RecursionError) as error:
            raise self.wrong(str(error)) from None
        return value

    def array(self) -> Iterator[tuple[int, Any]]:
        """(offset, value) of each element."""
        self.take("[")
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            self.peek()
            start = self.at
            yield start, self.value()
            if self.peek() != ",":
                break
            self.at += 1
        self.take("]")

    def keys(self) -> Iterator[str]:
        """Each key of an object; the caller reads the value before it asks for the next."""
        self.take("{")
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            if self.peek() != '"':
                raise self.wrong(say("expected a key in quotes", "따옴표로 싼 키가 있어야 합니다"))
            key: str = self.value()
            self.take(":")
            yield key
            if self.peek() != ",":
                break
            self.at += 1
        self.take("}")
