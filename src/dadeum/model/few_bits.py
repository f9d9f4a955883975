"""Layers of few bits at work: answers that stay the same, and the memory that weights take."""

from collections.abc import Iterator
from copy import copy
from functools import cache
from typing import Any

import torch
from torch import nn

from dadeum.config.model import QuantizationSettings
from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.model.configuration import first_line

BLOCK, SCALES = 64, 256  # weights to a scale; scales to a scale of theirs


def settle(model: nn.Module) -> None:
    """Have quantised layers answer alike in training and afterwards, alone and beside other rows, and rightly.

    Of bitsandbytes 0.50 they would not: on a CPU a 4-bit matrix whose rows are no multiple of 64 long is read back with
    scales of other weights, and one that is asked in evaluation mode on AVX512-BF16 has its scales rounded for good; an
    8-bit layer rounds what it is given as well, by columns that depend on the whole batch.
    """
    layer: Any
    for layer in model.modules():
        kind: Any = type(layer)
        if kind.__name__ == "Linear8bitLt" or (kind.__name__ == "Linear4bit" and layer.weight.device.type == "cpu"):
            layer.__class__ = _plain_product(kind)


def full_weight(layer: Any, dtype: torch.dtype | None = None) -> torch.Tensor:
    """The rounded matrix (out, in) of a quantised layer, a 4-bit one in the type that it was made of unless told; else its own."""
    weight = layer.weight
    if weight.is_floating_point():
        own: torch.Tensor = weight if dtype is None else weight.to(dtype)
        return own
    if (state := getattr(weight, "quant_state", None)) is None:
        scales = weight.SCB if weight.SCB is not None else layer.state.SCB
        held = dtype or torch.float32
        whole: torch.Tensor = weight.data.to(held) * (scales / 127).to(held)[:, None]
        return whole
    from bitsandbytes.functional import dequantize_4bit

    # As one row, whose blocks are those that the matrix was made of.
    flat = copy(state)
    flat.shape = torch.Size((1, state.shape.numel()))
    found: torch.Tensor = dequantize_4bit(weight.data, flat).reshape(state.shape)
    return found if dtype is None else found.to(dtype)


class _Product(torch.autograd.Function):
    """Rows times the matrix of a quantised layer, which in full is not kept for the gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layer: nn.Module) -> torch.Tensor:
        """The product, in the type of `x`."""
        ctx.layer = layer
        return nn.functional.linear(x, full_weight(layer, x.dtype))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None]:
        """The gradient of the rows; the matrix has none."""
        return grads[0] @ full_weight(ctx.layer, grads[0].dtype), None


@cache
def _plain_product(kind: Any) -> Any:
    """bitsandbytes' layer with nothing rounded but its weights."""

    def forward(layer: Any, x: torch.Tensor) -> torch.Tensor:
        """As a linear layer of the weights in full, in the type of the arithmetic; given back in that of the input."""
        given = x.dtype
        if torch.is_autocast_enabled(x.device.type):
            given = dtype = torch.get_autocast_dtype(x.device.type)
        else:
            dtype = getattr(layer, "compute_dtype", None) or given
        out: torch.Tensor = _Product.apply(x.to(dtype), layer)  # type: ignore[no-untyped-call]
        return (out if layer.bias is None else out + layer.bias.to(dtype)).to(given)

    return type(f"Plain{kind.__name__}", (kind,), {"forward": forward})


def as_in_training(model: Any, dtype: torch.dtype) -> None:
    """Have a model of short types mix them by itself, as it was trained: several of PEFT's layers beside few bits need it."""
    model.forward = torch.autocast(model.get_input_embeddings().weight.device.type, dtype)(model.forward)


def try_out(model: Any, adapter: str, bits: int) -> None:
    """Two tokens through a model with its adapter. Raises ModelError for one that cannot stand beside layers of few bits."""
    weight = model.get_input_embeddings().weight
    ids = torch.tensor([[0, 1]], device=weight.device)
    model.eval()
    try:
        with torch.no_grad(), torch.autocast(weight.device.type, torch.bfloat16, enabled=weight.dtype != torch.float32):
            model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            say(
                f"model.quantization: adapter '{adapter}' cannot stand beside layers of {bits} bits ({first_line(error)}); "
                "use adapter: lora, or leave model.quantization out",
                f"model.quantization: '{adapter}' 어댑터는 {bits}비트 층과 함께 쓸 수 없습니다({first_line(error)}). "
                "adapter: lora를 쓰거나 model.quantization을 빼세요",
            )
        ) from error
    finally:
        model.train()


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
