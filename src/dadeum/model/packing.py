"""Which attention a model packs with, and the proof that its packed documents do not see each other."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import nn

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.model.attention import NAME, running
from dadeum.model.configuration import first_line
from dadeum.model.layout import make_plan

Wanted = Literal["auto", "sdpa", "eager"]
MARK = "_dadeum_packs_with"
# Largest difference of a packed logit from a separate one, relative to the largest logit.
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4}
SHORT_TYPES = 5e-2


def unwrap(model: nn.Module) -> nn.Module:
    """The transformers model inside DDP, torch.compile and PEFT."""
    while True:
        inner = getattr(model, "module", None) or getattr(model, "_orig_mod", None)
        getter = getattr(model, "get_base_model", None)
        if isinstance(inner, nn.Module):
            model = inner
        elif callable(getter):
            model = getter()
        else:
            return model


def peft_of(model: nn.Module) -> Any:
    """The PEFT model inside DDP and torch.compile, or None."""
    while not hasattr(model, "peft_config"):
        inner = getattr(model, "module", None) or getattr(model, "_orig_mod", None)
        if not isinstance(inner, nn.Module):
            return None
        model = inner
    return model if callable(getattr(model, "get_base_model", None)) else None


def use_packing(model: nn.Module, attention: Wanted = "auto") -> str:
    """Switch the model to an attention that keeps packed documents apart, checked on this very model.

    `auto` takes `dadeum_packed` where it computes what the model's own attention does, else that one or eager with
    transformers' packed mask. Returns the name. Raises ModelError when none does.
    """
    core: Any = unwrap(model)
    before: str = core.config._attn_implementation
    reason: ModelError | None = None
    for name in dict.fromkeys([NAME, before, "eager"] if attention == "auto" else [attention]):
        try:
            with _untouched(core):
                alone = _alone(core)
                _switch(core, name)
                worst = _worst(core, alone)
            if worst is not None:
                raise _unfit(core, name, worst)
        except ModelError as error:
            reason = error
            core.config._attn_implementation = before
            continue
        setattr(core, MARK, name)
        return name
    assert reason is not None
    raise reason


def packs_with(model: nn.Module) -> str:
    """The attention that `use_packing` settled on; settles it now where that was not done."""
    return getattr(unwrap(model), MARK, None) or use_packing(model)


def _switch(core: Any, name: str) -> None:
    if core.config._attn_implementation != name:
        core.set_attn_implementation(name)
    if core.config._attn_implementation != name:
        raise _unfit(core, name, "the model does not take it")


def packed_inputs(
    model: nn.Module, input_ids: torch.Tensor, position_ids: torch.Tensor, cu_seqlens: torch.Tensor
) -> dict[str, Any]:
    """Arguments of the forward of a packed row; call it inside `running(inputs.get("packed_plan"))`."""
    inputs: dict[str, Any] = {"input_ids": input_ids, "position_ids": position_ids, "use_cache": False}
    core: Any = unwrap(model)
    if core.config._attn_implementation == NAME:
        inputs["packed_plan"] = make_plan(cu_seqlens, input_ids.device)
    return inputs


def check_isolation(model: nn.Module) -> None:
    """Two short documents packed and separate, on this model: equal, and deaf to a change in each other.

    Raises ModelError naming the model type and its attention. Training flags and random states are as before.
    """
    core: Any = unwrap(model)
    with _untouched(core):
        worst = _worst(core, _alone(core))
    if worst is not None:
        raise _unfit(core, core.config._attn_implementation, worst)


@contextlib.contextmanager
def _untouched(core: Any) -> Iterator[None]:
    """Evaluation mode without gradients; flags and random states are put back. A model that fails is unfit.

    A model of short types mixes them by itself, as in training: some adapters beside it are float32.
    """
    flags = {module: module.training for module in core.modules()}
    state = random.getstate()
    core.eval()
    try:
        weight = core.get_input_embeddings().weight
        short = weight.dtype in (torch.bfloat16, torch.float16)
        mixed = torch.autocast(weight.device.type, weight.dtype if short else None, enabled=short)
        with torch.no_grad(), mixed, torch.random.fork_rng():
            yield
    except torch.OutOfMemoryError:
        raise
    except (TypeError, ValueError, RuntimeError, LookupError, AttributeError, ImportError, AssertionError) as error:
        raise _unfit(core, core.config._attn_implementation, f"{type(error).__name__}: {first_line(error)}") from error
    finally:
        for module, flag in flags.items():
            module.training = flag
        random.setstate(state)


def _documents(core: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A first document (1,6), another one in its place (1,6), and the second document (1,9)."""
    weight = core.get_input_embeddings().weight
    first, other, second = (
        torch.tensor([[(start + 7 * i) % weight.shape[0] for i in range(length)]], device=weight.device)
        for start, length in ((3, 6), (5, 6), (2, 9))
    )
    return first, other, second


def _alone(core: Any) -> torch.Tensor:
    """Logits (15,V) of both documents, one forward each."""
    first, _, second = _documents(core)
    return torch.cat([core(input_ids=d, use_cache=False).logits[0] for d in (first, second)]).double()


def _worst(core: Any, alone: torch.Tensor) -> str | None:
    """What gives a fault of the model's present attention away, or None; `alone` is what logits should be."""
    first, other, second = _documents(core)
    borders = torch.tensor([0, 6, 15], dtype=torch.int32)
    places = torch.cat([torch.arange(6), torch.arange(9)])[None].to(first.device)

    def packed(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        inputs = packed_inputs(core, torch.cat([a, b], dim=1), places, borders)
        with running(inputs.get("packed_plan")):
            logits: torch.Tensor = core(**inputs).logits[0]
        return logits.double()

    together, changed, unpacked = packed(first, second), packed(other, second), _alone(core)
    dtype = core.get_input_embeddings().weight.dtype
    largest = alone.abs().max().item()
    limit = TOLERANCE.get(dtype, SHORT_TYPES) * largest
    for logits, what in ((unpacked, "unpacked"), (together, "packed")):
        apart = (logits - alone).abs().max().item()
        if not apart <= limit:
            return f"{what} logits differ from separate ones by {apart:.2g} where the largest is {largest:.3g}"
    # The same kernels on the same shapes: any difference beyond a last digit comes from the other document.
    heard = (together[6:] - changed[6:]).abs().max().item()
    digits = 8 if dtype in TOLERANCE else 1
    if not heard <= digits * torch.finfo(dtype).eps * largest:
        return f"a document's logits move by {heard:.2g} when another one changes"
    return None


def _unfit(core: Any, attention: str, reason: str) -> ModelError:
    kind = core.config.model_type
    return ModelError(
        say(
            f"data.packing: a model of type '{kind}' with {attention} attention does not keep packed samples apart "
            f"({reason}); set data.packing to false",
            f"data.packing: '{kind}' 모델은 {attention} 어텐션으로 묶은 샘플을 서로 떼어 놓지 못합니다 ({reason}). "
            "data.packing을 false로 하세요",
        )
    )
