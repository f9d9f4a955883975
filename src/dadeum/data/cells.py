"""One cell of a row as text. Blank is absent; a word such as `null` or `NA` is that word."""

import json
import math
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from dadeum.core.errors import DataError
from dadeum.core.language import say


class FaultyRow(DataError):
    """A row that cannot be used. `kind` is the reason that reports count it under."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def text_of(value: Any, column: str) -> str | None:
    """The cell as text, None where it is blank. Raises FaultyRow for lists, mappings and bytes."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict, bytes, tuple)):
        found = type(value).__name__
        raise FaultyRow(
            "no text",
            say(
                f"column '{column}' holds a {found}, expected text",
                f"'{column}' 열에 글이 아니라 {found}이(가) 있습니다",
            ),
        )
    return str(value)


@lru_cache(maxsize=4096)
def plain_name(column: str) -> str:
    """A column's name as it is compared: NFC, no blanks around, lower case."""
    return unicodedata.normalize("NFC", column).strip().lower()


def by_name(values: Mapping[str, Any]) -> dict[str, Any]:
    """The row under plain names; of two columns that differ in case only, the first counts."""
    found: dict[str, Any] = {}
    for column, value in values.items():
        found.setdefault(plain_name(column), value)
    return found


def first_text(values: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """Text of the first of these columns that is there and not blank; `values` under plain names."""
    for name in names:
        text = text_of(values.get(name), name)
        if text is not None:
            return text
    return None


def list_of(value: Any, column: str) -> list[Any]:
    """A cell that holds a list, as it is or as JSON text; blank is an empty list. Raises FaultyRow."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if isinstance(value, (list, tuple)):
        return list(value)
    raise FaultyRow("no list", say(f"column '{column}' holds no list", f"'{column}' 열이 목록이 아닙니다"))
