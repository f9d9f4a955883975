"""The type of the arithmetic: autocast, and the scale of fp16's gradients."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch

from dadeum.core.errors import TrainError
from dadeum.core.language import say

Precision = Literal["fp32", "bf16", "fp16"]
TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def resolve(wanted: str, device: torch.device) -> Precision:
    """`auto` becomes what `device` is fast in. Raises TrainError for what it cannot do."""
    if wanted == "auto":
        if device.type != "cuda":
            return "fp32"
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if wanted == "fp16" and device.type == "cpu":
        raise TrainError(
            say(
                "train.precision: found 'fp16', which needs a GPU; on a CPU use 'bf16', 'fp32' or 'auto'",
                "train.precision: 'fp16'은 GPU가 있어야 합니다. CPU에서는 'bf16', 'fp32', 'auto'를 쓰세요",
            )
        )
    known: dict[str, Precision] = {"fp32": "fp32", "bf16": "bf16", "fp16": "fp16"}
    return known[wanted]


class Arithmetic:
    """Autocast around forward passes; with fp16 also the scaler of the gradients."""

    def __init__(self, precision: Precision, device: torch.device) -> None:
        self.precision = precision
        self.device = device
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of a forward pass."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=TYPES[self.precision])

    def step(self, optimizer: torch.optim.Optimizer, finite: bool) -> bool:
        """Move the weights if loss and norm are `finite`; says whether it did. The gradients must be unscaled.

        Where they are not, fp16's scale is lowered.
        """
        if finite:
            self.scaler.step(optimizer)
        self.scaler.update()
        return finite

    @property
    def may_overflow(self) -> bool:
        """Whether an infinite gradient can be the scale's fault, so that a lower one helps."""
        return self.scaler.is_enabled() and self.scaler.get_scale() >= 1.0
