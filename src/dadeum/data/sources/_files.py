"""What the sources that read plain files share: the settings `path` and `part`, which files those are, what each is called."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dadeum.core.settings import setting
from dadeum.core.workspace import Workspace
from dadeum.data.files import gather, nfc
from dadeum.data.sources import SOURCES, Part, _mixed


class FileSettings(_mixed.Mixed):
    """One file or many, and the part of their rows."""

    path: str = setting(
        ...,
        "The file, a folder of such files, or a pattern such as `data/raw/*.jsonl`; files of text may be compressed "
        "(`.gz`, `.zst`); relative paths start at the workspace.",
        "파일, 그런 파일이 든 폴더, 또는 `data/raw/*.jsonl` 같은 패턴. 글 파일은 압축돼 있어도 됩니다(`.gz`, `.zst`). "
        "상대 경로는 작업 폴더에서 시작합니다.",
    )
    part: Part | None = setting(
        None,
        "The part that all its rows belong to; default: the split draws.",
        "모든 행이 속할 부분. 기본값은 나누기가 정합니다.",
    )
    rows: int | None = setting(None, *_mixed.ROWS, ge=1)
    weight: float | None = setting(None, *_mixed.WEIGHT, gt=0)
    repeat: bool = setting(False, *_mixed.REPEAT)


def files(settings: FileSettings, workspace: Workspace) -> list[Path]:
    """The files that `path` means, sorted by name."""
    return gather(workspace, settings.path, SOURCES.of(settings).SUFFIXES)


def named(files: list[Path]) -> Iterator[tuple[Path, str]]:
    """Each file, with its name below the folder of them all: what the places of its rows begin with."""
    folder = Path(os.path.commonpath([path.parent for path in files]))
    for path in files:
        yield path, nfc(path.relative_to(folder))
