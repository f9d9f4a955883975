"""Files that an experiment names, one or many: found, or refused in one sentence."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.workspace import Workspace
from dadeum.data import packed

PATTERN = re.compile(r"[*?\[]")


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
    return _with_bytes(path)


def _with_bytes(path: Path) -> Path:
    if not path.exists():
        raise DataError(say(f"{path}: is a link to a file that is gone", f"{path}: 가리키는 파일이 없는 링크입니다"))
    if path.stat().st_size == 0:
        raise DataError(say(f"{path}: is empty, expected rows", f"{path}: 빈 파일입니다. 행이 있어야 합니다"))
    return path


def nfc(path: Path) -> str:
    """A relative path as it is compared, sorted and shown."""
    return unicodedata.normalize("NFC", path.as_posix())


def gather(workspace: Workspace, name: str, suffixes: Iterable[str]) -> list[Path]:
    """What `name` means: one file, whatever its ending, or those with these suffixes below a folder or under a pattern.

    Many are sorted by name; whoever writes the ending in the pattern means it, whatever it is. What begins with a dot
    is left out. Raises DataError: missing, empty, none that fits, two that may hold the same rows.
    """
    place = find(workspace, name)
    if place is not None and place.is_dir():
        folder, pattern = place, ["**", "*"]
    elif place is None and PATTERN.search(name):
        folder, pattern = _start(workspace, name)
    else:
        return [locate(workspace, name)]
    meant = Path(pattern[-1]).suffix
    every = bool(meant) and not PATTERN.search(meant)
    wanted = tuple(suffixes)
    met = {f.relative_to(folder): f for f in _matches(folder, pattern, set())}
    found = [f for f in met if every or packed.inner(f).suffix.lower() in wanted]
    if not found:
        asked = None if place is not None else "/".join(pattern)
        raise _nothing(folder, asked, wanted, sorted(nfc(f) for f in met))
    found.sort(key=lambda f: (nfc(f), str(f)))
    _refuse_twins(folder, found)
    return [_with_bytes(met[relative]) for relative in found]


def _start(workspace: Workspace, name: str) -> tuple[Path, list[str]]:
    """The folder before the first part that is a pattern, and the parts from there. Raises DataError where it is missing."""
    parts = list(Path(unicodedata.normalize("NFC", name)).parts)
    count, folder = 0, workspace.root
    while count < len(parts) - 1:
        below = find(workspace, str(Path(*parts[: count + 1])))
        if below is None and PATTERN.search(parts[count]):
            break
        if below is None or not below.is_dir():
            wanted = workspace.at(str(Path(*parts[: count + 1])))
            near = hint(nearest(wanted.name, (f.name for f in folder.iterdir() if f.is_dir())))
            raise DataError(say(f"{wanted}: no such folder{near}", f"{wanted}: 그런 폴더가 없습니다{near}"))
        count, folder = count + 1, below
    rest = parts[count:]
    return folder, [*rest, "*"] if rest[-1] == "**" else rest


def _matches(folder: Path, pattern: list[str], seen: set[tuple[Path, int]]) -> Iterator[Path]:
    """Files below the folder whose parts fit those of the pattern; `**` is any number of folders."""
    here = (folder.resolve(), len(pattern))
    if here in seen:  # a link to a folder that was walked through
        return
    seen.add(here)
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        yield from _matches(folder, rest, seen)
    for entry in sorted(folder.iterdir()):
        name = unicodedata.normalize("NFC", entry.name)
        if name.startswith(".") and not first.startswith("."):
            continue
        if entry.is_dir():
            if first == "**":
                yield from _matches(entry, pattern, seen)
            elif rest and fnmatchcase(name, first):
                yield from _matches(entry, rest, seen)
        elif not rest and fnmatchcase(name, first):
            yield entry


def _nothing(folder: Path, asked: str | None, suffixes: tuple[str, ...], others: list[str]) -> DataError:
    """The error where no file fits; what there is besides, or a near name, tells why."""
    kinds = "/".join(suffixes)
    if others:
        listed = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        there = say(f"; there are: {listed}", f". 있는 파일: {listed}")
    elif asked is not None:
        beside = (nfc(f.relative_to(folder)) for f in _matches(folder, ["**", "*"], set()))
        near = hint(nearest(asked, beside))
        return DataError(
            say(f"{folder / asked}: matches no file{near}", f"{folder / asked}: 맞는 파일이 없습니다{near}")
        )
    else:
        there = ""
    if asked is None:
        return DataError(
            say(f"{folder}: holds no {kinds} file{there}", f"{folder}: 폴더에 {kinds} 파일이 없습니다{there}")
        )
    shown = folder / asked
    return DataError(say(f"{shown}: matches no {kinds} file{there}", f"{shown}: 맞는 {kinds} 파일이 없습니다{there}"))


def _refuse_twins(folder: Path, found: list[Path]) -> None:
    """Raises DataError for a file beside its compressed self, a link to another, names that differ only in composition."""
    first: dict[Path | str, Path] = {}
    for relative in found:
        for key in (nfc(packed.inner(relative)), (folder / relative).resolve()):
            other = first.setdefault(key, relative)
            if other != relative:
                raise DataError(
                    say(
                        f"{folder}: '{other}' and '{relative}' may hold the same rows; take one away, or name the files with a pattern",
                        f"{folder}: '{other}'와(과) '{relative}'에 같은 행이 있을 수 있습니다. 하나를 빼거나 패턴으로 고르세요",
                    )
                )


def label(workspace: Workspace, path: Path) -> str:
    """How a file is called in reports and fingerprints: NFC, relative to the workspace where it lies inside."""
    try:
        name = path.resolve().relative_to(workspace.root.resolve()).as_posix()
    except ValueError:
        name = path.as_posix()
    return unicodedata.normalize("NFC", name)
