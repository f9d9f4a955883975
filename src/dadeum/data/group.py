"""Rows that share a context (the questions on one paragraph): they are no independent witnesses of how good a model is."""

import hashlib
import unicodedata
from collections.abc import Mapping
from typing import Any

from dadeum.data.cells import plain_name

CONTEXTS = ("context", "passage", "paragraph", "지문")
SIZE = 16  # hex digits


def group_of(context: object) -> str | None:
    """The name of a context's rows, equal for NFC, NFD and any blanks; None where it says nothing."""
    text = " ".join(unicodedata.normalize("NFC", context).split()) if isinstance(context, str) else ""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:SIZE] if text else None


def group_in(row: Mapping[str, Any]) -> str | None:
    """The name of the first context among the cells of a row, under their plain names."""
    return next((found for name in CONTEXTS if (found := group_of(row.get(name))) is not None), None)


def is_context(*names: str) -> bool:
    """Whether one of these is what a context is called."""
    return any(plain_name(name) in CONTEXTS for name in names)
