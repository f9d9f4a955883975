"""Rows for new tokens are trained and saved, alone, or the adapter is refused by name."""

from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.config.model import ModelSettings
from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS
from dadeum.model.load import load_for_inference, load_for_training
from dadeum.model.merge import merge
from dadeum.model.new_rows import add_rows, check_trained, token_indices
from dadeum.model.nll import token_nll
from dadeum.model.save import save_model
from tests.model.tiny import ROWS, packed, tiny
from tests.model.words import words

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


def known(size: int = ROWS, *added: str) -> Any:
    tokenizer = words(size)
    tokenizer.backend_tokenizer.add_tokens(list(added))
    return tokenizer


TOKENS = {"<a>": "w5 w6 w5", "<b>": ""}


@pytest.mark.parametrize("shape", ["llama", "llama3", "gpt2"])
def test_rows_start_from_the_description_or_from_the_vocabulary(shape: str) -> None:
    model, before = tiny(shape), tiny(shape)
    assert add_rows(model, known(ROWS, *TOKENS), TOKENS) == NEW
    for found, old in zip(layers_of(model), layers_of(before), strict=True):
        assert found.shape[0] == ROWS + 2 and torch.equal(found[:ROWS], old)
        assert torch.allclose(found[ROWS], (2 * old[5] + old[6]) / 3, atol=1e-6)
        assert torch.allclose(found[ROWS + 1], old.mean(0), atol=1e-6)
    assert model.config.vocab_size == ROWS + 2
    tied = layers_of(before)[0] is layers_of(before)[-1]
    assert (layers_of(model)[0] is layers_of(model)[-1]) is tied


def layers_of(model: Any) -> list[torch.Tensor]:
    return [model.get_input_embeddings().weight, model.get_output_embeddings().weight]


def test_a_padded_vocabulary_has_rows_to_spare() -> None:
    """Faults A35: Qwen has more rows than ids; they are used, nothing grows, and the mean is that of the ids."""
    model, before = tiny("qwen2"), tiny("qwen2")
    assert add_rows(model, known(90, *TOKENS), TOKENS) == (90, 91)
    weight, old = model.get_input_embeddings().weight, before.get_input_embeddings().weight
    assert weight.shape[0] == ROWS
    same = [i for i in range(ROWS) if i not in (90, 91)]
    assert torch.equal(weight[same], old[same])
    assert torch.allclose(weight[91], old[:90].mean(0), atol=1e-6)


def test_other_ids_without_a_row_are_still_refused() -> None:
    """Faults A35: growing for the new tokens hides no tokenizer of another model."""
    with pytest.raises(ModelError, match="its largest id is 99, but the model's embedding has 97 rows"):
        add_rows(tiny("llama"), known(100, *TOKENS), TOKENS)


def trained(place: Path, kind: str, *, untie: bool = False, **settings: Any) -> Any:
    """A model with two new tokens after some steps that meet them, and the base's rows as they were."""
    model = load_for_training(
        ModelSettings(name_or_path=str(place), untie_embeddings=untie), ADAPTERS.validate({"type": kind, **settings}),
        place=place, tokenizer=known(ROWS, *TOKENS), precision="fp32", device="cpu", seed=0, new_tokens=TOKENS,
    )  # fmt: skip
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        token_nll(model, packed([torch.tensor([3, 97, 5, 98, 7, 97]), torch.arange(3, 20)])).nll.mean().backward()
        optimizer.step()
    return model.eval()


@pytest.mark.parametrize(("shape", "untie"), [("llama", False), ("llama3", False), ("gpt2", False), ("llama3", True)])
def test_lora_saves_loads_and_merges_the_rows(shape: str, untie: bool, tmp_path: Path) -> None:
    """Faults A13, A14: the new rows moved, the old ones are bit-equal, and both stay so through load, merge, load."""
    save_model(tiny(shape), tmp_path / "base")
    model = trained(tmp_path / "base", "lora", r=2, untie=untie)
    old = tiny(shape).get_input_embeddings().weight
    first = grown_rows(shape)
    weight = model.get_input_embeddings().weight
    assert torch.equal(weight[:ROWS], old)
    assert all(not torch.equal(weight[i], first[i]) for i in NEW)
    save_model(model, tmp_path / "adapter")
    with torch.no_grad():
        expected = model(ALL_IDS).logits
        assert torch.equal(load_for_inference(tmp_path / "adapter", base=tmp_path / "base")(ALL_IDS).logits, expected)
        merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged")
        merged: Any = load_for_inference(tmp_path / "merged")
        assert (merged(ALL_IDS).logits - expected).abs().max() <= 1e-4
    assert torch.equal(merged.get_input_embeddings().weight, weight)
    inside, outside = layers_of(tiny(shape))
    tied = inside is outside
    assert (layers_of(merged)[0] is layers_of(merged)[1]) is (tied and not untie)


@pytest.mark.parametrize(
    ("shape", "saved"),
    [
        ("llama", ["embed_tokens", "lm_head"]),
        ("llama", ["embed_tokens"]),
        ("llama3", ["embed_tokens"]),
        ("gpt2", ["wte"]),
    ],
)
def test_beside_layers_that_are_trained_in_full(shape: str, saved: list[str], tmp_path: Path) -> None:
    """`modules_to_save` holds the new rows with all others; what is not among them trains its own alone."""
    save_model(tiny(shape), tmp_path / "base")
    model = trained(tmp_path / "base", "lora", r=2, modules_to_save=saved)
    save_model(model, tmp_path / "adapter")
    with torch.no_grad():
        expected = model(ALL_IDS).logits
        assert torch.equal(load_for_inference(tmp_path / "adapter", base=tmp_path / "base")(ALL_IDS).logits, expected)
        merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged")
        assert (load_for_inference(tmp_path / "merged")(ALL_IDS).logits - expected).abs().max() <= 1e-4


ALL_IDS = torch.tensor([[3, 97, 5, 98, 7, 96]])


def grown_rows(shape: str) -> torch.Tensor:
    model = tiny(shape)
    add_rows(model, known(ROWS, *TOKENS), TOKENS)
    return layers_of(model)[0].detach()


def test_every_weight_trained_saves_and_loads_them_too(tmp_path: Path) -> None:
    """Faults A13: under full fine-tuning they are rows like all others."""
    save_model(tiny("llama3"), tmp_path / "base")
    model = trained(tmp_path / "base", "full")
    save_model(model, tmp_path / "whole")
    found = load_for_inference(tmp_path / "whole")
    with torch.no_grad():
        assert torch.equal(found(ALL_IDS).logits, model(ALL_IDS).logits)
    assert layers_of(found)[0].shape[0] == ROWS + 2 and layers_of(found)[0] is layers_of(found)[1]
