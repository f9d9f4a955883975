"""One JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from dadeum.core.language import say
from dadeum.data import charset
from dadeum.data.sources import Fault, FileFacts, Part, Row, _files

SUFFIXES = (".jsonl", ".ndjson")


class Settings(_files.FileSettings):
    """Files with one JSON object a line."""

    type: Literal["jsonl"] = "jsonl"


files = _files.files


def read(settings: Settings, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
    """Rows by physical line; blank lines are skipped and counted."""
    for path, name in _files.named(files):
        codec = charset.detect(path)
        blank = 0
        with charset.open_text(path, codec) as file:
            for number, line in enumerate(charset.lines(path, file), 1):
                if line.strip():
                    yield _row(line, f"{name}:{number}", settings.part)
                else:
                    blank += 1
        yield FileFacts(path, codec, blank)


def _row(line: str, where: str, part: Part | None) -> Row | Fault:
    try:
        value = json.loads(line.rstrip("\r\n"))
    except json.JSONDecodeError as error:
        return Fault(
            where,
            say(f"no JSON: {error.msg}, column {error.colno}", f"JSON이 아닙니다: {error.msg}, {error.colno}번째 글자"),
        )
    except (ValueError, RecursionError) as error:
        return Fault(where, say(f"no JSON that can be read: {error}", f"읽을 수 없는 JSON입니다: {error}"))
    if not isinstance(value, dict):
        found = type(value).__name__
        return Fault(where, say(f"found a {found}, expected an object", f"객체가 아니라 {found}입니다"))
    return Row(value, where, part)
