"""Artifacts: folders that are whole or absent.

A folder is written aside, each file synced, its manifest written last, and then renamed into place. The manifest holds
the kind, the fingerprint of what made it, and the SHA-256 of each file; a folder without one is not there.
"""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dadeum.core import faults
from dadeum.core.errors import ArtifactError
from dadeum.core.fingerprint import sha256_file, versions
from dadeum.core.language import say

MANIFEST = "manifest.json"
ASIDE = ".writing-"
FORGOTTEN_AFTER = 24 * 3600.0  # seconds until what another machine left aside counts as left by a killed writer


@dataclass(frozen=True)
class Manifest:
    """What made a folder, and what is in it."""

    kind: str
    fingerprint: str
    made_from: dict[str, Any]
    files: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    created: str = ""


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a file aside, sync it and rename it: readers see the old text or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with aside.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """`write_text` of indented JSON; NaN and infinity are refused."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """The JSON in `path`. Raises ArtifactError that names the file when it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(
            say(f"{path}: cannot be read as JSON ({error})", f"{path}: JSON으로 읽을 수 없습니다 ({error})")
        ) from None


def make_manifest(
    folder: Path, kind: str, fingerprint: str, made_from: dict[str, Any], facts: dict[str, Any] | None = None
) -> Manifest:
    """Hash each file below `folder`, then write the manifest. Call it last."""
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f != folder / MANIFEST)
    for file in files:
        _sync(file)
    manifest = Manifest(
        kind=kind,
        fingerprint=fingerprint,
        made_from=made_from,
        files={f.relative_to(folder).as_posix(): sha256_file(f) for f in files},
        facts=facts or {},
        versions=versions(),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),  # sorts as text
    )
    write_json(folder / MANIFEST, asdict(manifest))
    for place in {folder, *(f.parent for f in files)}:
        _sync(place)
    return manifest


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]


def _aside(folder: Path) -> Path:
    """A name beside `folder` that tells who writes there: host, process, and a random word."""
    return folder.with_name(f"{ASIDE}{folder.name}-{_host()}-{os.getpid()}-{uuid.uuid4().hex[:8]}")


def _check_ours(folder: Path) -> None:
    """Refuse to replace what dadeum did not make."""
    if folder.is_symlink():
        raise ArtifactError(
            say(
                f"{folder}: is a link, expected a folder of ours",
                f"{folder}: 링크입니다. dadeum이 만든 폴더여야 합니다",
            )
        )
    if folder.is_file():
        raise ArtifactError(
            say(
                f"{folder}: is a file, expected a folder or a new name",
                f"{folder}: 파일입니다. 폴더나 새 이름을 쓰세요",
            )
        )
    if folder.is_dir() and read_manifest(folder) is None and any(folder.iterdir()):
        raise ArtifactError(
            say(
                f"{folder}: holds files that dadeum did not make (no {MANIFEST}); move them away, or choose another folder",
                f"{folder}: dadeum이 만들지 않은 파일이 있습니다 ({MANIFEST} 없음). 옮기거나 다른 폴더를 쓰세요",
            )
        )


@contextlib.contextmanager
def writing(
    folder: Path,
    *,
    kind: str,
    fingerprint: str,
    made_from: dict[str, Any],
    facts: dict[str, Any] | None = None,
    points: str = "artifact",
) -> Iterator[Path]:
    """Give a folder aside to write into; on leaving without an error it becomes `folder`, whole.

    An older `folder` stays until the new one is complete. On an error nothing is left behind. `facts` may be filled
    while writing. `points` names the crash points `<points>.before_rename` and `<points>.after_rename`.
    Raises ArtifactError where `folder` is a link, a file, or holds what dadeum did not make.
    """
    _check_ours(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(folder)
    aside.mkdir(mode=0o700)
    try:
        yield aside
        make_manifest(aside, kind, fingerprint, made_from, facts)
        faults.point(f"{points}.before_rename")
        replace_folder(aside, folder)
        faults.point(f"{points}.after_rename")
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def replace_folder(aside: Path, folder: Path) -> None:
    """Rename `aside` to `folder`; what stood there is moved away first and deleted last.

    Killed between the two renames, both stand aside and whole; `sweep` puts the newer one into place.
    """
    old = _aside(folder)
    if folder.exists():
        folder.rename(old)
    faults.point("artifact.between_renames")
    aside.rename(folder)
    _sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest, or None where the folder is absent or was never finished."""
    try:
        manifest = Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return manifest if isinstance(manifest.files, dict) else None


def damage(folder: Path, manifest: Manifest) -> str | None:
    """The first file that is absent or has other bytes than the manifest says, or None."""
    for name, digest in manifest.files.items():
        file = folder / name
        if not file.is_file() or sha256_file(file) != digest:
            return name
    return None


def verified(folder: Path) -> Manifest:
    """The manifest after every file was held against it. Raises ArtifactError."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise ArtifactError(
            say(f"{folder}: incomplete (no manifest)", f"{folder}: 완성되지 않았습니다 (manifest 없음)")
        )
    broken = damage(folder, manifest)
    if broken:
        raise ArtifactError(
            say(f"{folder}: '{broken}' is damaged or absent", f"{folder}: '{broken}' 파일이 손상되었거나 없습니다")
        )
    return manifest


def _left(aside: Path) -> bool:
    """Whether the writer of `aside` is gone. What another machine writes is given a day."""
    *_, host, pid, _word = ("", "", "", *aside.name.split("-"))
    try:
        if host != _host():
            return time.time() - aside.stat().st_mtime > FORGOTTEN_AFTER
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError, ValueError):
        return True
    except OSError:
        return False
    return False


def sweep(parent: Path) -> None:
    """Clear what killed writers left aside in `parent`; what living ones write there stays.

    A whole folder whose place is empty was about to be renamed: it is put there, the newest first.
    """
    if not parent.is_dir():
        return
    left = [aside for aside in parent.glob(f"{ASIDE}*") if not aside.is_symlink() and _left(aside)]
    whole = [(aside.stat().st_mtime_ns, aside) for aside in left if read_manifest(aside) is not None]
    for _, aside in sorted(whole, reverse=True):
        folder = parent / aside.name.removeprefix(ASIDE).rsplit("-", 3)[0]
        if not folder.exists() and not folder.is_symlink():
            aside.rename(folder)
    for aside in left:
        shutil.rmtree(aside, ignore_errors=True)
