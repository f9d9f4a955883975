"""Rows for new tokens are trained and saved, alone, or the adapter is refused by name."""

from typing import Any

import pytest
import torch

from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS
from dadeum.model.new_rows import check_trained, token_indices
from tests.model.tiny import ROWS, tiny

NEW = (ROWS, ROWS + 1)


def grown(shape: str = "llama", **changes: Any) -> Any:
    model = tiny(shape, **changes)
    model.resize_token_embeddings(ROWS + len(NEW), mean_resizing=False)
    return model


def lora(model: Any, new: tuple[int, ...] = NEW) -> Any:
    settings = ADAPTERS.validate({"type": "lora", "r": 2})
    return ADAPTERS.of(settings).apply(settings, model, new_tokens=new)


@pytest.mark.parametrize(
    ("shape", "layers"),
    [
        ("llama", {"model.embed_tokens", "lm_head"}),
        ("qwen2", {"model.embed_tokens", "lm_head"}),
        ("llama3", {"model.embed_tokens"}),
        ("gpt2", {"transformer.wte"}),
    ],
)
def test_lora_trains_the_new_rows_alone(shape: str, layers: set[str]) -> None:
    """Faults A13: of tied layers one set of rows, of others one set each; the embedding itself stays frozen."""
    model = lora(grown(shape))
    found = {
        name.removeprefix("base_model.model.").split(".token_adapter")[0]: parameter.shape[0]
        for name, parameter in model.named_parameters()
        if parameter.requires_grad and "lora_" not in name
    }
    assert found == dict.fromkeys(layers, 2)
    check_trained(model, NEW, "lora")


def test_without_new_tokens_nothing_changes() -> None:
    assert token_indices(tiny("llama"), ()) is None
    assert all("lora_" in name for name, p in lora(tiny("llama"), ()).named_parameters() if p.requires_grad)


def test_what_leaves_the_rows_as_they_were_made_is_refused() -> None:
    """Faults A13: an adapter that does not know of new tokens, or a frozen embedding."""
    with pytest.raises(ModelError, match="adapter 'lora' with these settings would not train the rows"):
        check_trained(lora(grown(), ()), NEW, "lora")
    check_trained(grown(), NEW, "full")
    model = grown()
    model.get_input_embeddings().requires_grad_(False)
    with pytest.raises(ModelError, match="adapter 'full'"):
        check_trained(model, NEW, "full")


def test_an_output_layer_with_a_bias_is_refused() -> None:
    model = grown()
    model.lm_head.bias = torch.nn.Parameter(torch.zeros(ROWS + 2))
    with pytest.raises(ModelError, match="output layer has a bias"):
        token_indices(model, NEW)
