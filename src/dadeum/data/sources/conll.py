"""A word and its label a line, a blank line between sentences: CoNLL-2003, and KLUE-NER with its `## id<tab>sentence`.

The word is the first column and the label the last, by tabs where there are any, else by blanks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from dadeum.core.language import say
from dadeum.data import charset
from dadeum.data.sources import Fault, FileFacts, Row, _files

SUFFIXES = (".conll", ".bio")
DOCUMENT = "-DOCSTART-"
NOTE = "## "  # before a sentence: its name and itself


class Settings(_files.FileSettings):
    """Files with a word and its label a line."""

    type: Literal["conll"] = "conll"


files = _files.files


def read(settings: Settings, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
    """A row with the columns `tokens` and `ner_tags` for each sentence; `sentence` too, where the file has it."""
    for path, name in _files.named(files):
        codec = charset.detect(path)
        blank = 0
        with charset.open_text(path, codec) as file:
            lines: list[tuple[int, str]] = []
            for number, line in enumerate(charset.lines(path, file), 1):
                line = line.removesuffix("\n").removesuffix("\r")
                # A blank that is a word has its label behind it.
                if line.strip() and not line.startswith(DOCUMENT):
                    lines.append((number, line))
                    continue
                blank += 1
                yield from _sentence(settings, name, lines)
                lines = []
            yield from _sentence(settings, name, lines)
        yield FileFacts(path, codec, blank)


def _sentence(settings: Settings, name: str, lines: list[tuple[int, str]]) -> Iterator[Row | Fault]:
    sentence: str | None = None
    words: list[str] = []
    labels: list[str] = []
    if not lines:
        return
    where = f"{name}:{lines[0][0]}"
    for number, line in lines:
        if line.startswith(NOTE) and not words:
            sentence = line.partition("\t")[2] or None
            continue
        parts = line.split("\t") if "\t" in line else line.split()
        if len(parts) < 2 or not parts[0] or not parts[-1].strip():
            yield Fault(
                f"{name}:{number}",
                say(
                    f"found '{line[:60]}', expected a word and its label",
                    f"'{line[:60]}' 대신 단어와 라벨이 있어야 합니다",
                ),
            )
            return
        words.append(parts[0])
        labels.append(parts[-1].strip())
    if words:
        values: dict[str, Any] = {"tokens": words, "ner_tags": labels}
        yield Row(values | ({"sentence": sentence} if sentence is not None else {}), where, settings.part)
