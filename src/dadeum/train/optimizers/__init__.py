"""How weights move."""

from typing import TYPE_CHECKING, Any, Protocol

from dadeum.core.family import Family

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

OPTIMIZERS = Family("dadeum.train.optimizers")


class Builder(Protocol):
    """A file of this family; `settings` are its own `Settings`."""

    def build(self, settings: Any, model: "nn.Module", learning_rate: float) -> "Optimizer":
        """An optimizer of the trainable parameters; the loop sets the learning rate before each step."""

    def state_bytes(self, settings: Any, trainable: int) -> int:
        """Bytes of its state for so many trainable numbers: for the forecast of memory and disk."""
