"""What is trained of a model: one file per way.

A member defines `Settings`, `mergeable` (its result can be merged into the base), `freezes_base` (the base's weights do
not move, so they may be held in a short type) and `apply`.
"""

from collections.abc import Sequence
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

    def apply(self, settings: MemberSettings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
        """Make `model` trainable in this way. Raises ModelError where the settings do not fit it.

        `new_tokens` are ids whose rows are new and must be trained as well; a member that cannot leaves them out, and the
        loader refuses it by name.
        """


ADAPTERS = Family("dadeum.model.adapters")
