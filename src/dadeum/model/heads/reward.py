"""`reward`: a score of a conversation, higher for better answers; learnt from pairs of them."""

from typing import TYPE_CHECKING, Any, Literal

from dadeum.config.purpose import Takes, Target
from dadeum.model.heads import Gives, Outlet
from dadeum.model.heads._settings import Pooled

if TYPE_CHECKING:
    from torch import Tensor

    from dadeum.model.heads._layers import Top

takes: Takes = "pair"
gives: Gives = "scores"
objective = "reward"
size = 1


class Settings(Pooled):
    """One number for a conversation."""

    type: Literal["reward"] = "reward"


def targets(settings: Settings) -> tuple[Target, ...]:
    """The better answer is known by its place."""
    return ()


def build(settings: Settings, width: int, outlet: Outlet) -> "Top":
    """As transformers' class, which has no bias, where it is one linear layer."""
    from dadeum.model.heads._layers import Top

    return Top(settings, width, outlet.size, settings.pooling, bias=False)


def says(settings: Settings, outlet: Outlet, out: "Tensor") -> dict[str, Any]:
    """The score."""
    return {"score": float(out[0])}
