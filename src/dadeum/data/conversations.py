"""`processed_conversations.json`: a JSON list with one conversation a line, so that it is read and written row by row."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dadeum.core.errors import ArtifactError
from dadeum.core.language import say

NAME = "processed_conversations.json"
TEXT, NEXT = ', "text": "', '", "'


def write_conversations(path: Path, lines: Iterable[str]) -> None:
    """Write JSON objects (each one line, without its end) as a list."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        separator = "[\n"
        for line in lines:
            file.write(separator + line)
            separator = ",\n"
        file.write("\n]\n" if separator == ",\n" else "[]\n")


def places_of(folder: Path, rows: set[int]) -> dict[int, str]:
    """`file:line` of some rows, by their numbers in reading order."""
    found = (
        (row["source_row"], row["where"]) for row in read_conversations(folder / NAME) if row["source_row"] in rows
    )
    return dict(itertools.islice(found, len(rows)))


def read_conversations(path: Path) -> Iterator[Mapping[str, Any]]:
    """The conversations in order. Raises ArtifactError where the file is no list of them."""
    try:
        yield from map(json.loads, conversation_lines(path))
    except ValueError as error:
        raise _unreadable(path, error) from None


def conversation_lines(path: Path) -> Iterator[str]:
    """The same, each as JSON that nobody has looked into. A list that stands otherwise on its lines is read too, as a whole.

    Raises ArtifactError where it is no such list.
    """
    try:
        with path.open(encoding="utf-8") as file:
            if next(file, "") not in ("[\n", "[]\n") or next(file, "{").startswith(" "):
                file.seek(0)
                yield from (json.dumps(row, ensure_ascii=False) for row in json.load(file))
                return
            file.seek(0)
            next(file)
            for line in file:
                if line != "]\n":
                    yield line.rstrip(",\n")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def trainable(lines: Sequence[str]) -> list[Mapping[str, Any]]:
    """What training needs of these lines: not the text of a conversation, which is half of a line and stands last in it."""
    # Inside a string no quotation mark stands without a backslash before it: such a place is between two keys.
    ends = [line.rfind(TEXT) for line in lines]
    last = all(line.find(NEXT, end + len(TEXT)) < 0 for line, end in zip(lines, ends, strict=True) if end >= 0)
    short = [line if end < 0 else f"{line[:end]}}}" for line, end in zip(lines, ends, strict=True)]
    try:
        rows = json.loads(f"[{','.join(short if last else lines)}]")
    except ValueError:  # what was cut was no row's own text
        rows = [json.loads(line) for line in lines]
    return [row if row.get("messages") else json.loads(line) for row, line in zip(rows, lines, strict=True)]


def _unreadable(path: Path, error: Exception) -> ArtifactError:
    return ArtifactError(
        say(
            f"{path}: cannot be read as conversations ({error})",
            f"{path}: 대화 목록으로 읽을 수 없습니다 ({error})",
        )
    )
