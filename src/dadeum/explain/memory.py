"""Memory through a step: measured at some moments, and counted from the tensors that are there."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

Moments = ("start", "forward", "backward", "update")


@dataclass
class Meter:
    """Readings at moments of a step; of several micro-batches the highest. `mine` is what the watching itself holds."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    readings: dict[str, int] = field(default_factory=dict)
    mine: int = 0

    @property
    def how(self) -> str:
        """What is read."""
        return "cuda" if self.device.type == "cuda" else "rss"

    def mark(self, moment: str) -> None:
        """Read now."""
        self.readings[moment] = max(self.readings.get(moment, 0), self._read())

    def _read(self) -> int:
        if self.device.type == "cuda":
            return int(torch.cuda.memory_allocated(self.device))
        import psutil  # type: ignore[import-untyped]

        return int(psutil.Process().memory_info().rss) - self.mine

    def told(self) -> list[tuple[str, int]]:
        """In the order of the step."""
        return [(moment, self.readings[moment]) for moment in Moments if moment in self.readings]


@dataclass
class Kept:
    """The tensors that one forward pass keeps for its backward pass; weights are there anyway and do not count."""

    weights: frozenset[int] = frozenset()
    storages: dict[int, int] = field(default_factory=dict)

    @classmethod
    def without(cls, module: nn.Module) -> "Kept":
        """Everything but this module's own tensors."""
        own = [*module.parameters(), *module.buffers()]
        return cls(frozenset(tensor.untyped_storage().data_ptr() for tensor in own))

    @property
    def bytes(self) -> int:
        """All together."""
        return sum(self.storages.values())

    def _see(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self.weights:
            self.storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Look at what autograd puts aside inside."""
        with torch.autograd.graph.saved_tensors_hooks(self._see, lambda tensor: tensor):
            yield
