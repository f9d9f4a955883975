"""Fingerprints: what something was made of, in one short hexadecimal word.

Files count by their bytes, never by their time: a byte changed behind the same size and time is noticed.
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

SHORT = 12
# A change of one of these may change tokens, weights or scores.
LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "accelerate")


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_folder(folder: Path, suffixes: Iterable[str] | None = None) -> str:
    """One hash over the names and bytes of the files directly in `folder` (those with one of `suffixes`)."""
    wanted = None if suffixes is None else set(suffixes)
    files = sorted(f for f in folder.iterdir() if f.is_file() and (wanted is None or f.suffix in wanted))
    return fingerprint({f.name: sha256_file(f) for f in files})


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} has no fingerprint")


def fingerprint(*parts: Any) -> str:
    """Hexadecimal SHA-256 of settings, paths and plain values; the order of keys does not matter."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=_plain)
    # A file name that is not UTF-8 reaches Python with lone surrogates.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def versions() -> dict[str, str]:
    """Installed versions of dadeum and of the libraries that decide results, without importing them."""
    return {name: version(name) for name in ("dadeum", *LIBRARIES)}


def version(name: str) -> str:
    """The installed version of a library, without importing it."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
