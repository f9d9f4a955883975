"""What stands on top of a model: one file a head.

A member defines `Settings`, `takes` (what it learns from), `gives` (what objectives find in its output: `tokens`, `labels`
or `scores`), `objective` (the one that `train.objective: auto` means), and `targets`.
"""

from typing import Literal, Protocol

from dadeum.config.purpose import Takes, Target
from dadeum.core.family import Family
from dadeum.core.settings import MemberSettings

HEADS = Family("dadeum.model.heads")
Gives = Literal["tokens", "labels", "scores"]


class Head(Protocol):
    """A member of the family."""

    Settings: type[MemberSettings]
    takes: Takes
    gives: Gives
    objective: str

    def targets(self, settings: MemberSettings) -> tuple[Target, ...]:
        """What it wants to know of a row, where it learns from labels."""
