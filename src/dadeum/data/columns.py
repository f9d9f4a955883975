"""What the columns of a source hold: kinds, empty cells, examples, and the values themselves where there are few.

Counts only: whatever the number of rows, a column costs a few hundred bytes.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EXAMPLES = 3
SHORT = 60  # characters of an example
FEW = 12  # so many values that come again and again are classes, each no longer than
CLASS = 40
MOST = 200  # columns: rows keyed by their ids have one for each row
NUMBER = re.compile(r"\s*[-+]?(\d{1,20}(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?\s*")


def kind_of_cell(value: Any) -> str:
    """`empty`, `text`, `number`, `bool`, `list`, `object`, or the name of another type."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "empty"
    if isinstance(value, str):
        if not value.strip():
            return "empty"
        return "number" if len(value) < 50 and NUMBER.fullmatch(value) else "text"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list | tuple):
        return "list"
    return "object" if isinstance(value, dict) else type(value).__name__


def short(value: Any, length: int = SHORT) -> str:
    """A value on one short line, as any file can hold it."""
    text = " ".join(str(value)[: 4 * length].split()).encode(errors="replace").decode()
    return text if len(text) <= length else text[: length - 1] + "…"


def ends(text: str) -> str:
    """How a text begins and ends: a question often stands behind what it is about."""
    whole = short(text[: SHORT + 1])
    if len(text) <= SHORT:
        return whole
    return f"{short(text[: SHORT // 2], SHORT // 2).rstrip('…')} … {short(text[-(SHORT // 2) :])}"


def _as_it_is(value: str) -> str:
    """A class with its blanks, which may be what tells it from another."""
    return value.encode(errors="replace").decode()


@dataclass
class Profile:
    """One column."""

    kinds: Counter[str] = field(default_factory=Counter)  # of the cells that are not empty
    examples: list[str] = field(default_factory=list)
    values: Counter[str] | None = field(default_factory=Counter)  # None where there are too many

    def see(self, value: Any) -> None:
        """One more cell."""
        kind = kind_of_cell(value)
        if kind == "empty":
            return
        self.kinds[kind] += 1
        if len(self.examples) < EXAMPLES and (shown := short(value)) not in self.examples:
            self.examples.append(shown)
        if self.values is None:
            return
        written = str(value) if kind in ("text", "number", "bool") else None
        if written is None or len(written) > CLASS or (written not in self.values and len(self.values) == FEW):
            self.values = None
        else:
            self.values[written] += 1

    @property
    def filled(self) -> int:
        """Cells that are not empty."""
        return self.kinds.total()

    def facts(self, rows: int) -> dict[str, Any]:
        """What a report says of it, of so many rows."""
        # Digits in a column of texts are texts.
        kinds = [kind for kind, _ in self.kinds.most_common() if kind != "number" or "text" not in self.kinds]
        again = self.values is not None and self.filled >= 5 * max(1, len(self.values))
        classes = self.values.most_common() if again and self.values is not None else []
        return {
            "kind": kinds[0] if len(kinds) == 1 else "mixed" if kinds else "empty",
            "kinds": dict(self.kinds.most_common()),
            "filled": self.filled,
            "empty_share": round(1 - self.filled / rows, 6) if rows else 0.0,
            "examples": self.examples,
            "values": [{"value": _as_it_is(value), "count": count} for value, count in classes],
        }


class Columns:
    """The columns of some rows, in the order in which they come."""

    def __init__(self) -> None:
        self.rows = 0
        self.left_out = 0  # cells of columns beyond the most
        self.profiles: dict[str, Profile] = {}

    def see(self, values: Mapping[str, Any]) -> None:
        """One more row."""
        self.rows += 1
        for name, value in values.items():
            profile = self.profiles.get(name)
            if profile is None:
                if len(self.profiles) == MOST:
                    self.left_out += 1
                    continue
                profile = self.profiles[name] = Profile()
            profile.see(value)

    def facts(self) -> list[dict[str, Any]]:
        """All columns, as a report says it."""
        return [{"name": short(name), **profile.facts(self.rows)} for name, profile in self.profiles.items()]
