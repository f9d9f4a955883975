"""Fingerprints: what something was made of, in one short hexadecimal word.

Files count by their bytes, never by their time: a byte changed behind the same size and time is noticed.
"""

import hashlib
import importlib.metadata
import json
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


def sha256_folder(folder: Path) -> str:
    """One hash over the names and bytes of all files below `folder`; what is hidden, or compiled, does not count."""
    files = {file.relative_to(folder): file for file in folder.rglob("*") if file.is_file()}
    beside = {name for name in files if any(part[0] == "." or part == "__pycache__" for part in name.parts)}
    return fingerprint({name.as_posix(): sha256_file(files[name]) for name in sorted(set(files) - beside)})


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
