"""One JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.core.workspace import Workspace
from dadeum.data import charset
from dadeum.data.files import locate
from dadeum.data.sources import Fault, FileFacts, Part, Row


class Settings(MemberSettings):
    """A file with one JSON object a line."""

    type: Literal["jsonl"] = "jsonl"
    path: str = setting(
        ..., "The file; relative paths start at the workspace.", "파일. 상대 경로는 작업 폴더에서 시작합니다."
    )
    part: Part | None = setting(
        None,
        "The part that all its rows belong to; default: the split draws.",
        "모든 행이 속할 부분. 기본값은 나누기가 정합니다.",
    )


def files(settings: Settings, workspace: Workspace) -> list[Path]:
    """The one file."""
    return [locate(workspace, settings.path)]


def read(settings: Settings, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
    """Rows by physical line; blank lines are skipped and counted."""
    for path in files:
        codec = charset.detect(path)
        blank = 0
        with charset.open_text(path, codec) as file:
            for number, line in enumerate(charset.lines(path, file), 1):
                if line.strip():
                    yield _row(line, f"{path.name}:{number}", settings.part)
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
