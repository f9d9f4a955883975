r"""Plain text: one line is one sample.

A line break inside a sample is written `\n` and a backslash `\\`, so that any text fits on one line and comes back
as it was; a backslash before anything else stands for itself. A file that is missing is written from its `fallback`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import setting
from dadeum.core.workspace import Workspace
from dadeum.data import charset, fallback, packed
from dadeum.data.files import PATTERN, find
from dadeum.data.sources import Fault, FileFacts, Row, _files

ESCAPE = re.compile(r"\\([n\\])")
SUFFIXES = (".txt",)


class Settings(_files.FileSettings):
    """Text files with one sample a line."""

    type: Literal["text"] = "text"
    fallback: str | None = setting(
        None,
        "Where a missing file comes from: `owner/name` or `owner/name@revision` of a Hub data set, or the name of a "
        "shipped text (`korean_eval`); the rows of `part` (or of no part) are written to `path`, one a line.",
        "파일이 없을 때 가져올 곳: Hub 데이터셋의 `소유자/이름`이나 `소유자/이름@리비전`, 또는 내장 글의 이름(`korean_eval`). "
        "`part`의 행(또는 부분이 없는 행)을 `path`에 한 줄씩 씁니다.",
        pattern=fallback.NAME,
    )

    @model_validator(mode="after")
    def _one_plain_file(self) -> Settings:
        many = self.path.endswith("/") or PATTERN.search(self.path) is not None
        if self.fallback is not None and (many or packed.codec(Path(self.path))):
            raise ValueError(
                say(
                    f"a fallback writes one plain file, found the path '{self.path}'",
                    f"fallback은 압축하지 않은 파일 하나를 씁니다. path가 '{self.path}'입니다",
                )
            )
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without a fallback the settings read as they did before there was one: what was made from them stays fresh."""
        written: dict[str, Any] = handler(self)
        if self.fallback is None:
            written.pop("fallback", None)
        return self.unmixed(written)


files = _files.files


def waits(settings: Settings, workspace: Workspace) -> bool:
    """Whether the file is missing and has to be written from its fallback first."""
    return settings.fallback is not None and find(workspace, settings.path) is None


def fill(settings: Settings, workspace: Workspace, reporter: Reporter) -> list[Path]:
    """Write the missing file; returns it, or nothing where it is there."""
    if settings.fallback is None or not waits(settings, workspace):
        return []
    path = workspace.at(settings.path)
    fallback.write(settings.fallback, path, settings.part, workspace, reporter)
    return [path]


def read(settings: Settings, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
    """A row with the column `text` for each line; blank lines are skipped and counted."""
    for path, name in _files.named(files):
        codec = charset.detect(path)
        blank = escaped = 0
        with charset.open_text(path, codec) as file:
            for number, line in enumerate(charset.lines(path, file), 1):
                line = line.removesuffix("\n").removesuffix("\r")
                where = f"{name}:{number}"
                if not line.strip():
                    blank += 1
                elif "\0" in line:
                    yield Fault(where, say("holds a NUL byte", "NUL 바이트가 있습니다"))
                else:
                    text = ESCAPE.sub(lambda found: "\n" if found[1] == "n" else "\\", line)
                    escaped += text != line
                    yield Row({"text": text}, where, settings.part)
        told = fallback.origin(path) if settings.fallback is not None else None
        yield FileFacts(path, codec, blank, {"escaped_lines": escaped}, told)
