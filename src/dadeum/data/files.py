"""Files that an experiment names: found, or refused in one sentence."""

import unicodedata
from pathlib import Path

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.workspace import Workspace


def _same_name(path: Path) -> Path | None:
    """`path`, or the one that differs from it only in how Hangul is composed (macOS writes NFD)."""
    if path.exists():
        return path
    if path.parent == path:
        return None
    parent = _same_name(path.parent)
    if parent is None or not parent.is_dir():
        return None
    wanted = unicodedata.normalize("NFC", path.name)
    return next((f for f in sorted(parent.iterdir()) if unicodedata.normalize("NFC", f.name) == wanted), None)


def find(workspace: Workspace, name: str) -> Path | None:
    """What `name` means, relative to the workspace; None where there is nothing."""
    return _same_name(workspace.at(name))


def locate(workspace: Workspace, name: str) -> Path:
    """The file that `name` means, relative to the workspace. Raises DataError: missing, a folder, empty."""
    wanted = workspace.at(name)
    path = find(workspace, name)
    if path is None:
        folder = wanted.parent
        near = hint(nearest(wanted.name, (f.name for f in folder.iterdir())) if folder.is_dir() else None)
        raise DataError(say(f"{wanted}: no such file{near}", f"{wanted}: 그런 파일이 없습니다{near}"))
    if path.is_dir():
        raise DataError(say(f"{path}: is a folder, expected a file", f"{path}: 폴더입니다. 파일이어야 합니다"))
    if path.stat().st_size == 0:
        raise DataError(say(f"{path}: is empty, expected rows", f"{path}: 빈 파일입니다. 행이 있어야 합니다"))
    return path


def label(workspace: Workspace, path: Path) -> str:
    """How a file is called in reports and fingerprints: NFC, relative to the workspace where it lies inside."""
    try:
        name = path.resolve().relative_to(workspace.root.resolve()).as_posix()
    except ValueError:
        name = path.as_posix()
    return unicodedata.normalize("NFC", name)
