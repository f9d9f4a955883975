"""The NLL of trained tokens against torch's own cross entropy, in every layout and wrapping."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from dadeum.data.batch import collate
from dadeum.model import nll as module
from dadeum.model.adapters import ADAPTERS
from dadeum.model.nll import token_nll
from tests.model.tiny import ROWS, SHAPES, tiny

RNG = np.random.default_rng(0)
SAMPLES = [
    (RNG.integers(3, ROWS, n).astype(np.int32), RNG.choice([0.0, 0.5, 1.0], n).astype(np.float32))
    for n in (6, 13, 1, 4, 9)
]
TRAINED = [
    (row, place) for row, (ids, weights) in enumerate(SAMPLES) for place in range(1, len(ids)) if weights[place] > 0
]


def by_hand(model: nn.Module) -> list[torch.Tensor]:
    """One forward a sample, the full logits, torch's cross entropy."""
    values = []
    for row, place in TRAINED:
        ids = torch.from_numpy(SAMPLES[row][0].astype(np.int64))
        logits = model(input_ids=ids[None], use_cache=False).logits[0]
        values.append(cross_entropy(logits[place - 1].float(), ids[place]))
    return values


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("packing", [True, False])
def test_values_weights_and_documents(shape: str, packing: bool) -> None:
    model = tiny(shape)
    expected = torch.stack(by_hand(model)).detach()
    got = token_nll(model, collate(SAMPLES, packing=packing, pad_id=2))
    assert got.nll.dtype == torch.float32
    assert torch.allclose(got.nll, expected, atol=2e-5)
    assert got.weights.tolist() == [SAMPLES[row][1][place] for row, place in TRAINED]
    assert got.document.tolist() == [row for row, _ in TRAINED]


@pytest.mark.parametrize("shape", ["llama", "gpt2", "gemma2"])
@pytest.mark.parametrize("packing", [True, False])
def test_gradients_are_those_of_torch(shape: str, packing: bool) -> None:
    one, other = tiny(shape), tiny(shape)
    weights = torch.tensor([SAMPLES[row][1][place] for row, place in TRAINED])
    (torch.stack(by_hand(one)) * weights).sum().backward()
    got = token_nll(other, collate(SAMPLES, packing=packing, pad_id=2))
    (got.nll * got.weights).sum().backward()
    for (name, expected), found in zip(one.named_parameters(), other.parameters(), strict=True):
        assert expected.grad is not None and found.grad is not None, name
        assert torch.allclose(expected.grad, found.grad, rtol=1e-3, atol=2e-5 * float(expected.grad.abs().max())), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("chunk", [1, 3 * ROWS, 2**21])
def test_the_loss_alone_equals_cross_entropy_for_any_chunk(
    dtype: torch.dtype, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    targets, upstream = torch.arange(8) * 5, torch.linspace(-1, 2, 8)
    logits = (torch.randn(8, ROWS, generator=torch.Generator().manual_seed(0)) * 40).to(dtype)
    one, other = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    expected = cross_entropy(one.float(), targets, reduction="none")
    # A copy of the leaf, as a model's logits are: backward writes over them.
    found: Any = module._NLL.apply(other * 1, targets)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-4)
    expected.backward(upstream)
    found.backward(upstream)
    assert one.grad is not None and other.grad is not None and other.grad.dtype == dtype
    assert torch.allclose(
        other.grad.float(), one.grad.float(), rtol=1e-2 if dtype != torch.float32 else 1e-5, atol=1e-5
    )


def test_logits_are_made_only_where_a_token_is_trained() -> None:
    model = tiny("llama")
    rows: list[int] = []
    model.lm_head.register_forward_hook(lambda _, given, made: rows.append(made.numel() // ROWS))
    for packing in (True, False):
        token_nll(model, collate(SAMPLES, packing=packing, pad_id=0))
    # The isolation check of the first packed batch ran before; the last two are ours.
    assert rows[-2:] == [len(TRAINED), len(TRAINED)]


def test_a_second_backward_is_an_error_and_not_a_wrong_number() -> None:
    total = token_nll(tiny("llama"), collate(SAMPLES, packing=True, pad_id=0)).nll.sum()
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("shape", ["llama", "gpt2"])
def test_a_batch_without_a_trained_token_is_zero_with_a_gradient_of_zero(shape: str, packing: bool) -> None:
    model = tiny(shape)
    found = token_nll(model, collate([(ids, np.zeros_like(w)) for ids, w in SAMPLES], packing=packing, pad_id=0))
    assert found.nll.shape == found.weights.shape == found.document.shape == (0,)
    found.nll.sum().backward()
    assert all(p.grad is None or torch.count_nonzero(p.grad) == 0 for p in model.parameters())
    assert any(p.grad is not None for p in model.parameters())


class Elsewhere(nn.Module):
    """A model that is not of transformers and whose forward makes all logits."""

    def __init__(self, core: Any) -> None:
        super().__init__()
        self.core = core

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, use_cache: bool) -> Any:
        return self.core(input_ids=input_ids, attention_mask=attention_mask, use_cache=use_cache)


def test_a_model_that_cannot_select_positions() -> None:
    model = tiny("llama")
    expected = torch.stack(by_hand(model)).detach()
    assert torch.allclose(
        token_nll(Elsewhere(model), collate(SAMPLES, packing=False, pad_id=0)).nll, expected, atol=2e-5
    )


@pytest.fixture
def one_process(tmp_path: Path) -> Iterator[None]:
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
@pytest.mark.parametrize("packing", [True, False])
def test_wrapped_by_peft_and_ddp(packing: bool, one_process: None) -> None:
    lora = ADAPTERS.validate({"type": "lora", "r": 2})
    inner: Any = ADAPTERS.of(lora).apply(lora, tiny("llama"))
    expected = torch.stack(by_hand(inner)).detach()
    wrapped = nn.parallel.DistributedDataParallel(inner)
    found = token_nll(wrapped, collate(SAMPLES, packing=packing, pad_id=0))
    assert torch.allclose(found.nll, expected, atol=2e-5)
    found.nll.sum().backward()
    assert sum(p.grad is not None for p in inner.parameters()) == sum(p.requires_grad for p in inner.parameters()) > 0


@pytest.mark.parametrize("packing", [True, False])
def test_autocast(packing: bool) -> None:
    model = tiny("llama")
    expected = torch.stack(by_hand(model)).detach()
    with torch.autocast("cpu", torch.bfloat16):
        found = token_nll(model, collate(SAMPLES, packing=packing, pad_id=0))
    assert found.nll.dtype == torch.float32
    assert torch.allclose(found.nll, expected, atol=0.3) and not torch.allclose(found.nll, expected, atol=1e-5)
    found.nll.sum().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in model.parameters())


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("chunk", [1, 3 * ROWS, 2**21])
def test_smoothed_labels_are_those_of_cross_entropy(
    smoothing: float, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    targets, upstream = torch.arange(8) * 5, torch.linspace(-1, 2, 8)
    logits = torch.randn(8, ROWS, generator=torch.Generator().manual_seed(0)) * 10
    one, other = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    expected = cross_entropy(one, targets, reduction="none", label_smoothing=smoothing)
    found: Any = module._NLL.apply(other * 1, targets, smoothing)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-5)
    expected.backward(upstream)
    found.backward(upstream)
    assert one.grad is not None and other.grad is not None
    assert torch.allclose(other.grad, one.grad, rtol=1e-5, atol=1e-6)


def test_smoothing_holds_no_second_copy_of_the_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that forward and backward make besides the logits is some rows of them."""
    from torch.utils._python_dispatch import TorchDispatchMode

    monkeypatch.setattr(module, "CHUNK", 4 * ROWS)
    logits = torch.randn(512, ROWS)
    largest: list[int] = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = function(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor) and made.untyped_storage().data_ptr() != logits.data_ptr():
                largest.append(made.numel())
            return made

    targets, context = torch.arange(512) % ROWS, SimpleNamespace()
    context.save_for_backward = lambda *kept: setattr(context, "saved_tensors", kept)
    expected = cross_entropy(logits, targets, reduction="none", label_smoothing=0.1)
    with Watch():
        loss = module._NLL.forward(context, logits, targets, 0.1)
        gradient = module._NLL.backward(context, torch.ones_like(loss))[0]
    assert torch.allclose(loss, expected, atol=1e-5)
    assert gradient.data_ptr() == logits.data_ptr()
    assert 0 < max(largest) <= max(4 * ROWS, 512) < logits.numel()


VIRTUAL: list[dict[str, Any]] = [
    {"type": "prompt_tuning", "num_virtual_tokens": 5},
    {"type": "prefix_tuning", "num_virtual_tokens": 5},
    {"type": "prefix_tuning", "num_virtual_tokens": 5, "prefix_projection": True},
    {"type": "peft", "peft_type": "P_TUNING", "num_virtual_tokens": 5, "encoder_hidden_size": 16},
]


@pytest.mark.parametrize("shape", ["llama", "qwen2", "gpt2", "gemma3"])
@pytest.mark.parametrize("adapter", VIRTUAL, ids=["prompt", "prefix", "network", "p-tuning"])
def test_virtual_tokens_never_shift_the_labels(shape: str, adapter: dict[str, Any]) -> None:
    """Against PEFT's own loss, one text at a time; in a batch, alone, and with the logits of every place."""
    settings = ADAPTERS.validate(adapter)
    torch.manual_seed(1)
    model: Any = ADAPTERS.of(settings).apply(settings, tiny(shape)).eval()
    found = token_nll(model, collate(SAMPLES, packing=False, pad_id=2))
    assert found.weights.tolist() == [SAMPLES[row][1][place] for row, place in TRAINED]
    for row, (ids, weights) in enumerate(SAMPLES):
        text = torch.from_numpy(ids.astype(np.int64))[None]
        labels = torch.where(torch.from_numpy(weights)[None] > 0, text, -100)
        labels[:, 0] = -100
        theirs = found.nll[found.document == row]
        if not len(theirs):
            continue
        loss = model(input_ids=text, attention_mask=torch.ones_like(text), labels=labels).loss
        assert torch.allclose(theirs.mean(), loss, atol=2e-5)
        alone = token_nll(model, collate([SAMPLES[row]], packing=False, pad_id=2))
        assert torch.allclose(alone.nll, theirs, atol=2e-5)
    assert not torch.allclose(found.nll, torch.stack(by_hand(tiny(shape))), atol=1e-2), "they are there"
    found.nll.sum().backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
