"""NEFTune against transformers' hook, and that it hangs on nothing but the sample and torch's state."""

from typing import Any

import numpy as np
import pytest
import torch
from transformers.integrations.neftune import neftune_post_forward_hook

from dadeum.data.batch import collate
from dadeum.model.adapters import ADAPTERS
from dadeum.model.nll import token_nll
from dadeum.model.noise import noisy
from tests.model.tiny import ROWS, tiny

DRAW = np.random.default_rng(0)
SAMPLES = [
    (DRAW.integers(3, ROWS, n).astype(np.int32), np.array([0.0] + [1.0] * (n - 1), np.float32)) for n in (6, 13, 4, 9)
]


def batch_of(*samples: Any, packing: bool) -> dict[str, torch.Tensor]:
    return collate(list(samples), packing=packing, pad_id=2)


def noisily(model: Any, batch: dict[str, torch.Tensor], alpha: float = 5.0, seed: int = 3) -> torch.Tensor:
    # How a model packs is settled at its first packed batch, with draws that are put back.
    token_nll(model, batch)
    torch.manual_seed(seed)
    with noisy(model, batch, alpha):
        return token_nll(model, batch).nll


@pytest.mark.parametrize("shape", ["llama", "gpt2", "gemma3"])
@pytest.mark.parametrize("packing", [True, False])
def test_of_one_sample_it_is_transformers_own(shape: str, packing: bool) -> None:
    model = tiny(shape).train()
    batch = batch_of(SAMPLES[1], packing=packing)
    found = noisily(model, batch)
    embeddings = model.get_input_embeddings()
    embeddings.neftune_noise_alpha = 5.0
    hook = embeddings.register_forward_hook(neftune_post_forward_hook)
    torch.manual_seed(3)
    expected = token_nll(model, batch).nll
    hook.remove()
    assert torch.allclose(found, expected, atol=1e-6, rtol=1e-6)
    assert not torch.allclose(found, token_nll(model, batch).nll, atol=1e-3)


@pytest.mark.parametrize("shape", ["llama", "gpt2"])
def test_the_layout_changes_no_draw(shape: str) -> None:
    """Packed, padded and alone: each sample's noise is drawn in its turn, and scaled by its own length."""
    model = tiny(shape).train()
    packed = noisily(model, batch_of(*SAMPLES, packing=True))
    padded = noisily(model, batch_of(*SAMPLES, packing=False))
    for sample in SAMPLES:
        token_nll(model, batch_of(sample, packing=True))
    torch.manual_seed(3)
    alone = []
    for sample in SAMPLES:
        batch = batch_of(sample, packing=True)
        with noisy(model, batch, 5.0):
            alone.append(token_nll(model, batch).nll)
    assert torch.allclose(packed, padded, atol=2e-5)
    assert torch.allclose(packed, torch.cat(alone), atol=2e-5)


def test_each_sample_is_scaled_by_its_own_length_and_padding_gets_none() -> None:
    model = tiny("llama").train()
    embeddings = model.get_input_embeddings()
    seen: list[torch.Tensor] = []
    for packing in (True, False):
        batch = batch_of(*SAMPLES, packing=packing)
        plain = embeddings(batch["input_ids"])
        with noisy(model, batch, 2.0):
            seen.append((embeddings(batch["input_ids"]) - plain)[0 if packing else slice(None)])
    packed, padded = seen
    start = 0
    for row, (ids, _) in enumerate(SAMPLES):
        length, most = len(ids), 2.0 / (len(ids) * 32) ** 0.5
        for noise in (packed[start : start + length], padded[row, :length]):
            assert 0.9 * most < float(noise.detach().abs().max()) <= most + 1e-6
        assert not padded[row, length:].any()
        start += length


def test_it_is_gone_outside_and_never_there_in_evaluation() -> None:
    model = tiny("llama")
    batch = batch_of(*SAMPLES, packing=True)
    plain, state = token_nll(model, batch).nll, torch.get_rng_state()
    assert torch.equal(noisily(model, batch), plain)
    torch.set_rng_state(state)
    model.train()
    noisily(model, batch)
    assert torch.equal(token_nll(model, batch).nll, plain)
    with pytest.raises(ZeroDivisionError), noisy(model, batch, 1.0):
        1 / 0  # noqa: B018
    assert torch.equal(token_nll(model, batch).nll, plain)


def test_under_an_adapter() -> None:
    lora = ADAPTERS.validate({"type": "lora", "r": 2, "lora_dropout": 0.0})
    batch = batch_of(*SAMPLES, packing=True)
    expected = noisily(tiny("llama").train(), batch)
    adapted: Any = ADAPTERS.of(lora).apply(lora, tiny("llama")).train()
    assert torch.allclose(noisily(adapted, batch), expected, atol=1e-6)
