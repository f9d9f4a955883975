"""What is made of a finished run: one file a target.

To add a target, add a file that holds what `Target` asks for; its name is what users write in `export`. A target is
written aside, verified there against the model that it was made from, and only then put in its place.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dadeum.core.family import Family
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings

TARGETS = Family("dadeum.export.targets")


@dataclass(frozen=True)
class Source:
    """The model that is exported: `place` holds an adapter or a whole model, `base` is an adapter's base.

    `formatted` is the folder of the rows that it was trained on, where that is known.
    """

    place: Path
    base: Path | None = None
    trusted: bool = False
    formatted: Path | None = None


class Target(Protocol):
    """What a target's file holds."""

    folder: str  # its name beside `final/`
    takes_heads: bool  # whether it can be made of a model that says labels or scores

    def ready(self, settings: MemberSettings) -> None:
        """Raises MissingExtra where this machine lacks what it needs; asked before any long work."""

    def write(self, settings: MemberSettings, source: Source, out: Path, reporter: Reporter) -> None:
        """Make the folder `out`, whole or not at all."""

    def verify(self, settings: MemberSettings, source: Source, out: Path, reporter: Reporter) -> dict[str, Any]:
        """Reload `out` and hold it against the source: what was measured. Raises ModelError past the bound."""

    def size(self, settings: MemberSettings, weights: int) -> int:
        """Bytes that it will take on disk for a base of so many bytes of weights; for the plan, without torch."""
