"""The processes of one training: one, or several under torchrun or `accelerate launch`. Built on Accelerate.

Knows nothing of losses and files; every method is called by all processes together.
"""

import os
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from torch import nn

from dadeum.core.errors import TrainError
from dadeum.core.language import say


class Processes:
    """This process among the others, and what they tell each other."""

    def __init__(self) -> None:
        # Precision and accumulation are the loop's own; nothing of Accelerate's environment may add a second one.
        # Without a GPU, Accelerate joins the processes of torchrun only when it is told to use the CPU.
        self._accelerator: Any = Accelerator(
            cpu=not torch.cuda.is_available(),
            mixed_precision="no",
            kwargs_handlers=[DistributedDataParallelKwargs(broadcast_buffers=False)],
        )
        self.device: torch.device = self._accelerator.device
        self.rank: int = self._accelerator.process_index
        self.world_size: int = self._accelerator.num_processes
        asked = int(os.environ.get("WORLD_SIZE", "1"))
        if asked != self.world_size:
            raise TrainError(
                say(
                    f"{asked} processes were started, but {self.world_size} found each other; start them with torchrun",
                    f"프로세스 {asked}개가 시작되었지만 {self.world_size}개만 서로 연결되었습니다. torchrun으로 시작하세요",
                )
            )

    @property
    def main(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """`model` on the device, wrapped for averaged gradients where there are several processes."""
        if self.world_size == 1:
            return model.to(self.device)
        with warnings.catch_warnings():
            # torch wants another name for `broadcast_buffers`, which Accelerate does not know yet.
            warnings.simplefilter("ignore", FutureWarning)
            wrapped: nn.Module = self._accelerator.prepare_model(model)
        return wrapped

    def silent(self, model: nn.Module, quiet: bool) -> AbstractContextManager[Any]:
        """Within it no gradients are exchanged, when `quiet`."""
        if quiet and self.world_size > 1:
            context: AbstractContextManager[Any] = self._accelerator.no_sync(model)
            return context
        return nullcontext()

    def total(self, values: Sequence[float]) -> list[float]:
        """Each value summed over the processes."""
        return self._reduced(values, "SUM")

    def greatest(self, value: float) -> float:
        """The greatest `value` of all processes."""
        return self._reduced([value], "MAX")[0]

    def _reduced(self, values: Sequence[float], operation: str) -> list[float]:
        if self.world_size == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(tensor, op=getattr(torch.distributed.ReduceOp, operation))
        return [float(x) for x in tensor.tolist()]

    def gather(self, data: bytes) -> list[bytes]:
        """The bytes of every process, by rank. No object is pickled."""
        if self.world_size == 1:
            return [data]
        longest = int(self.greatest(len(data)))
        mine = torch.zeros(longest + 8, dtype=torch.uint8)
        mine[:8] = torch.frombuffer(bytearray(len(data).to_bytes(8, "little")), dtype=torch.uint8)
        mine[8 : 8 + len(data)] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        mine = mine.to(self.device)
        parts = [torch.empty_like(mine) for _ in range(self.world_size)]
        torch.distributed.all_gather(parts, mine)
        raw = [bytes(part.cpu().numpy()) for part in parts]
        return [part[8 : 8 + int.from_bytes(part[:8], "little")] for part in raw]

    def wait(self) -> None:
        """Until all are here."""
        if self.world_size > 1:
            self._accelerator.wait_for_everyone()
