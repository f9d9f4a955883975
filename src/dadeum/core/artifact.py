"""Artifacts: folders that are whole or absent.

A folder is written aside, each file synced, its manifest written last, and then renamed into place. The manifest holds
the kind, the fingerprint of what made it, and the SHA-256 of each file; a folder without one is not there.
"""

import contextlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dadeum.core.errors import ArtifactError
from dadeum.core.fingerprint import sha256_file, versions
from dadeum.core.language import say

MANIFEST = "manifest.json"
ASIDE = ".writing-"


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
    except (OSError, ValueError) as error:
        raise ArtifactError(say(f"{path}: cannot be read as JSON ({error})", f"{path}: JSON으로 읽을 수 없습니다 ({error})")) from None


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
        created=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )
    write_json(folder / MANIFEST, asdict(manifest))
    return manifest


@contextlib.contextmanager
def writing(
    folder: Path, *, kind: str, fingerprint: str, made_from: dict[str, Any], facts: dict[str, Any] | None = None
) -> Iterator[Path]:
    """Give a folder aside to write into; on leaving without an error it becomes `folder`, whole.

    An older `folder` stays until the new one is complete. On an error nothing is left behind. `facts` may be filled
    while writing.
    """
    if folder.is_symlink():
        raise ArtifactError(say(f"{folder}: is a link, expected a folder of ours", f"{folder}: 링크입니다. dadeum이 만든 폴더여야 합니다"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f"{ASIDE}{folder.name}-{uuid.uuid4().hex[:8]}")
    aside.mkdir(mode=0o700)
    try:
        yield aside
        make_manifest(aside, kind, fingerprint, made_from, facts)
        replace_folder(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def replace_folder(aside: Path, folder: Path) -> None:
    """Rename `aside` to `folder`; what stood there is moved away first and deleted last."""
    old = folder.with_name(f"{ASIDE}{folder.name}-{uuid.uuid4().hex[:8]}")
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    _sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest, or None where the folder is absent or was never finished."""
    try:
        return Manifest(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


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
        raise ArtifactError(say(f"{folder}: incomplete (no manifest)", f"{folder}: 완성되지 않았습니다 (manifest 없음)"))
    broken = damage(folder, manifest)
    if broken:
        raise ArtifactError(say(f"{folder}: '{broken}' is damaged or absent", f"{folder}: '{broken}' 파일이 손상되었거나 없습니다"))
    return manifest


def sweep(parent: Path) -> None:
    """Delete what killed writers left aside in `parent`."""
    if parent.is_dir():
        for leftover in parent.glob(f"{ASIDE}*"):
            shutil.rmtree(leftover, ignore_errors=True)
