"""Comma- or tab-separated rows below a header, as spreadsheets save them; quoted cells may hold line breaks."""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, Literal

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data import charset, packed
from dadeum.data.sources import Fault, FileFacts, Part, Row, _files

LONGEST_CELL = 1 << 24
SUFFIXES = (".csv", ".tsv", ".tab")


class Settings(_files.FileSettings):
    """CSV or TSV files with a header."""

    type: Literal["csv"] = "csv"


files = _files.files


def read(settings: Settings, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
    """Rows under the names of the header; a blank cell is None."""
    for path, name in _files.named(files):
        codec = charset.detect(path)
        with charset.open_text(path, codec, newline="") as file:
            yield from _rows(path, name, file, codec, settings.part)


def _delimiter(path: Path, header: str) -> str:
    return (
        "\t" if packed.inner(path).suffix.lower() in {".tsv", ".tab"} or ("\t" in header and "," not in header) else ","
    )


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [unicodedata.normalize("NFC", c).strip() or f"column {n}" for n, c in enumerate(cells, 1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            say(
                f"{path}:1: column '{twice[0]}' stands twice in the header; rename one",
                f"{path}:1: '{twice[0]}' 열이 머리글에 두 번 있습니다. 하나의 이름을 바꾸세요",
            )
        )
    return names


def _wrong(path: Path, line: int, error: csv.Error) -> DataError | None:
    """The error that ends the file, or None where only the row is lost."""
    text = str(error)
    if "unexpected end of data" in text:
        return DataError(
            say(
                f"{path}:{line}: a quote opened here is never closed",
                f"{path}:{line}: 여기서 연 따옴표가 끝까지 닫히지 않습니다",
            )
        )
    if "field limit" in text:
        return DataError(
            say(
                f"{path}:{line}: a cell is longer than {LONGEST_CELL} characters; is a quote left open?",
                f"{path}:{line}: 한 칸이 {LONGEST_CELL}자보다 깁니다. 닫지 않은 따옴표가 있나요?",
            )
        )
    return None


def _records(path: Path, lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """(physical line where it begins, cells or what is wrong with them)."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fatal = _wrong(path, line, error)
            if fatal:
                raise fatal from None
            yield line, error


def _rows(path: Path, name: str, file: IO[str], codec: str, part: Part | None) -> Iterator[Row | Fault | FileFacts]:
    lines = charset.lines(path, file)
    first = next(lines, "")
    names: list[str] | None = None
    blank = 0
    for line, cells in _records(path, chain([first] if first else [], lines), _delimiter(path, first)):
        where = f"{name}:{line}"
        if isinstance(cells, csv.Error):
            yield Fault(where, say(f"quotes do not match ({cells})", f"따옴표가 맞지 않습니다 ({cells})"))
        elif not any(cell.strip() for cell in cells):
            blank += 1
        elif names is None:
            names = _header(path, cells)
        else:
            yield _row(names, cells, where, part)
    yield FileFacts(path, codec, blank)


def _row(names: list[str], cells: list[str], where: str, part: Part | None) -> Row | Fault:
    if len(cells) != len(names):
        return Fault(
            where,
            say(f"{len(cells)} cells, expected {len(names)}", f"칸이 {len(cells)}개입니다. {len(names)}개여야 합니다"),
        )
    if any("\0" in cell for cell in cells):
        return Fault(where, say("holds a NUL byte", "NUL 바이트가 있습니다"))
    values: dict[str, Any] = {name: cell if cell.strip() else None for name, cell in zip(names, cells, strict=True)}
    return Row(values, where, part)
