"""What is trained of a model: one file per way.

A member defines `Settings`, `mergeable` (its result can be merged into the base), `freezes_base` (the base's weights do
not move, so they may be held in a short type) and `apply`.
"""

from typing import TYPE_CHECKING, Protocol

from dadeum.core.family import Family
from dadeum.core.settings import MemberSettings

if TYPE_CHECKING:
    from torch import nn


class Adapter(Protocol):
    """A member of the family."""

    Settings: type[MemberSettings]
    mergeable: bool
    freezes_base: bool

    def apply(self, settings: MemberSettings, model: "nn.Module") -> "nn.Module":
        """Make `model` trainable in this way. Raises ModelError where the settings do not fit it."""


ADAPTERS = Family("dadeum.model.adapters")
