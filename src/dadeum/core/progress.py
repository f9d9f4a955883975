"""How long work tells what it does: stages speak to a `Reporter`; the command line draws it."""

import logging
from typing import Protocol

logger = logging.getLogger("dadeum")


class Reporter(Protocol):
    """Where a stage reports to."""

    def start(self, title: str, total: float | None = None, unit: str = "") -> None:
        """A new piece of work of `total` units begins."""

    def advance(self, done: float, **facts: object) -> None:
        """So much of it is done (absolute), with facts worth showing: `loss=2.1`, `memory="1.2 GB"`."""

    def note(self, text: str) -> None:
        """A line that stays on the screen."""

    def warn(self, text: str) -> None:
        """A line that stays and wants attention."""


class Silent:
    """A reporter that only writes notes and warnings to the log."""

    def start(self, title: str, total: float | None = None, unit: str = "") -> None:
        """Nothing is drawn."""

    def advance(self, done: float, **facts: object) -> None:
        """Nothing is drawn."""

    def note(self, text: str) -> None:
        """To the log."""
        logger.info(text)

    def warn(self, text: str) -> None:
        """To the log."""
        logger.warning(text)
