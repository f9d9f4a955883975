r"""Plain text: one line is one sample.

A line break inside a sample is written `\n` and a backslash `\\`, so that any text fits on one line and comes back
as it was; a backslash before anything else stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.core.workspace import Workspace
from dadeum.data import charset
from dadeum.data.files import locate
from dadeum.data.sources import Fault, FileFacts, Part, Row

ESCAPE = re.compile(r"\\([n\\])")


class Settings(MemberSettings):
    """A text file with one sample a line."""

    type: Literal["text"] = "text"
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
    """A row with the column `text` for each line; blank lines are skipped and counted."""
    for path in files:
        codec = charset.detect(path)
        blank = escaped = 0
        with charset.open_text(path, codec) as file:
            for number, line in enumerate(file, 1):
                line = line.removesuffix("\n").removesuffix("\r")
                where = f"{path.name}:{number}"
                if not line.strip():
                    blank += 1
                elif "\0" in line:
                    yield Fault(where, say("holds a NUL byte", "NUL 바이트가 있습니다"))
                else:
                    text = ESCAPE.sub(lambda found: "\n" if found[1] == "n" else "\\", line)
                    escaped += text != line
                    yield Row({"text": text}, where, settings.part)
        yield FileFacts(path, codec, blank, {"escaped_lines": escaped})
