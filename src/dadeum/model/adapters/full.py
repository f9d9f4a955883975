"""`full`: every weight is trained; there is no adapter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from dadeum.core.settings import MemberSettings

if TYPE_CHECKING:
    from torch import nn

mergeable = False
freezes_base = False


class Settings(MemberSettings):
    """Train every weight."""

    type: Literal["full"] = "full"


def apply(settings: Settings, model: "nn.Module", new_tokens: Sequence[int] = ()) -> "nn.Module":
    """The same model with every parameter trainable, but for parts that text does not pass through."""
    from dadeum.model.towers import towers

    model.requires_grad_(True)
    for name in towers(model):
        model.get_submodule(name).requires_grad_(False)
    return model
