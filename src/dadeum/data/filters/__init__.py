"""What goes out of the rows, or is hidden in them, before any of them is split or becomes tokens.

A member has `Settings` and `build(settings, tools)`, which makes its `Sieve`. The sieve says when it works:

    read     each row is judged as it is read
    all      it looks at every row that the filters before it left, then judges each of them
    parted   after the split: it looks at every row with its part, then judges those of training and validation

Filters work in the order of the YAML; those that need the parts come after all others. A sieve keeps no rows: what it
must remember of each is a few bytes. A member with `inputs(settings, workspace)` names what it reads besides the rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from dadeum.core.family import Family
from dadeum.core.workspace import Workspace
from dadeum.data.formats import Conversation
from dadeum.data.sources import Part

When = Literal["read", "all", "parted"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A row as a sieve sees it; `number` is its place among the rows that are looked at and judged together."""

    conversation: Conversation
    where: str
    part: Part | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Drop:
    """The row goes out, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Mask:
    """The row stays with something hidden: what it says now, and what was hidden how often."""

    conversation: Conversation
    found: Mapping[str, int]


Verdict = Drop | Mask | None


@dataclass(frozen=True)
class Tools:
    """What a sieve may need besides its settings."""

    workspace: Workspace
    row_tokens: Callable[[Conversation], int]  # as the chat template writes the row
    text_tokens: Callable[[str], int]
    places: Callable[[Iterable[int]], dict[int, str]]  # where rows with these numbers were read


@dataclass
class Sieve(ABC):
    """One filter at work."""

    tools: Tools
    when: When = field(default="read", init=False)

    def look(self, row: Seen) -> None:  # noqa: B027, most filters need to know nothing
        """Learn what must be known before the first row is judged."""

    @abstractmethod
    def judge(self, row: Seen) -> Verdict:
        """What becomes of the row. Raises DataError where the filter does not fit the rows."""


class FilterModule(Protocol):
    """What the file of a member defines."""

    def build(self, settings: Any, tools: Tools) -> Sieve:
        """The filter under these settings. Raises DataError, MissingExtra."""


FILTERS = Family("dadeum.data.filters")
