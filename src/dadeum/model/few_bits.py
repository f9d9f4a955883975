"""Layers of few bits at work: answers that stay the same, and the memory that weights take."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import torch
from torch import nn

from dadeum.config.model import QuantizationSettings

BLOCK, SCALES = 64, 256  # weights to a scale; scales to a scale of theirs


def settle(model: nn.Module) -> None:
    """Have quantised layers answer alike in training and afterwards, alone and beside other rows.

    A 4-bit layer that is asked in evaluation mode on a CPU with AVX512-BF16 would round its scales for good, and could not
    be trained any more. An 8-bit layer would also round what it is given, by columns that depend on the whole batch.
    """
    module: Any
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
        if type(module).__name__ == "Linear8bitLt":
            kind: Any = type(module)
            module.__class__ = _rounded_weights(kind)


class _Product(torch.autograd.Function):
    """Rows times a matrix of bytes with a scale for each of its rows; the matrix in full is not kept for the gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
        """The product, in the type of `x`."""
        ctx.save_for_backward(weight, scales)
        return nn.functional.linear(x, _full(weight, scales, x.dtype))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        """The gradient of the rows; the matrix has none."""
        weight, scales = ctx.saved_tensors
        return grads[0] @ _full(weight, scales, grads[0].dtype), None, None


def _full(weight: torch.Tensor, scales: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return weight.to(dtype) * (scales / 127).to(dtype)[:, None]


@cache
def _rounded_weights(kind: Any) -> Any:
    """bitsandbytes' layer of 8 bits with nothing rounded but its weights."""

    def forward(layer: Any, x: torch.Tensor) -> torch.Tensor:
        """As a linear layer of the weights in full, in the type of the input."""
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        scales = layer.weight.SCB if layer.weight.SCB is not None else layer.state.SCB
        out: torch.Tensor = _Product.apply(x, layer.weight.data, scales)  # type: ignore[no-untyped-call]
        return out if layer.bias is None else out + layer.bias.to(out.dtype)

    return type("RoundedWeights", (kind,), {"forward": forward})


def is_quantized(model: nn.Module) -> bool:
    """Whether some of its weights are held in few bits."""
    return any(parameter.dtype in (torch.uint8, torch.int8) for parameter in model.parameters())


def size_of(parameter: torch.Tensor) -> int:
    """How many numbers it stands for; two share a byte where there are 4 bits to each."""
    packed = getattr(parameter, "quant_state", None)
    return int(parameter.numel() if packed is None else packed.shape.numel())


def held_bytes(model: nn.Module) -> int:
    """Bytes that the weights take where they lie, with the scales of quantised ones."""
    seen: dict[int, int] = {}
    for tensor in _tensors(model):
        seen[tensor.data_ptr() if tensor.device.type != "meta" else id(tensor)] = tensor.numel() * tensor.element_size()
    return sum(seen.values())


def _tensors(model: nn.Module) -> Iterator[torch.Tensor]:
    yield from model.parameters()
    for module in model.modules():
        weight = getattr(module, "weight", None)
        scales = getattr(weight, "quant_state", None)
        if scales is not None:
            yield scales.absmax
            if scales.state2 is not None:
                yield scales.state2.absmax
        rows = getattr(weight, "SCB", None)
        if isinstance(rows, torch.Tensor):
            yield rows


def expected_bytes(model: nn.Module, wanted: QuantizationSettings | None, width: int) -> int:
    """Bytes that the weights of an unloaded `model` would take: `width` bytes each, quantised ones as `wanted`."""
    from transformers.pytorch_utils import Conv1D

    core: Any = model
    outside = core.get_output_embeddings()
    total = 0
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            count = parameter.numel()
            small = (
                wanted is not None
                and isinstance(module, nn.Linear | Conv1D)
                and module is not outside
                and parameter is module.weight
            )
            total += _small(count, parameter.shape[0], wanted) if small and wanted is not None else count * width
    if outside is not None and outside.weight is core.get_input_embeddings().weight:
        total -= outside.weight.numel() * width
    return total


def _small(count: int, rows: int, wanted: QuantizationSettings) -> int:
    if wanted.bits == 8:
        return count + 4 * rows
    scales = -(-count // BLOCK)
    return -(-count // 2) + (scales + 4 * -(-scales // SCALES) if wanted.double else 4 * scales)
