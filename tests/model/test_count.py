"""Counted without weights, equal to the model that is loaded."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.config.model import ModelSettings
from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS
from dadeum.model.count import count_parameters
from dadeum.model.heads import HEADS
from dadeum.model.load import load_for_training
from dadeum.model.save import save_model
from tests.model.tiny import SHAPES, tiny
from tests.model.words import words

ADAPTED: list[Any] = ["full", "lora", {"type": "lora", "r": 3, "target_modules": ["q_proj", "v_proj"]}]


@pytest.mark.parametrize("adapter", ADAPTED)
@pytest.mark.parametrize("tied", [True, False])
def test_as_loaded(adapter: Any, tied: bool) -> None:
    config = {**SHAPES["llama"], "vocab_size": 97, "tie_word_embeddings": tied}
    member = ADAPTERS.validate(adapter)
    model = load_for_training(
        ModelSettings(init="random", config=config),
        member,
        place=None,
        tokenizer=words(),
        precision="fp32",
        device="cpu",
        seed=0,
    )
    expected = sum(p.numel() for p in model.parameters()), sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert count_parameters(config, member) == expected
    del config["vocab_size"]
    assert count_parameters(config, member, vocab_size=97) == expected


@pytest.mark.parametrize("shape", ["gpt2", "gemma3"])
def test_from_a_folder_that_has_no_weights(shape: str, tmp_path: Path) -> None:
    model = tiny(shape)
    save_model(model, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    size = sum(p.numel() for p in model.parameters())
    assert count_parameters(tmp_path, ADAPTERS.validate("full")) == (size, size)
    total, trained = count_parameters(tmp_path, ADAPTERS.validate("lora"))
    assert total == size + trained


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(ModelError, match="unknown key"):
        count_parameters({"model_type": "llama", "wide": 1}, ADAPTERS.validate("full"))
    with pytest.raises(ModelError, match=r"adapter\.target_modules"):
        count_parameters(SHAPES["gpt2"], ADAPTERS.validate({"type": "lora", "target_modules": ["q_proj"]}))


@pytest.mark.parametrize(("shape", "untied"), [("llama", False), ("llama3", False), ("llama3", True)])
def test_new_rows_and_an_untied_layer_are_counted(shape: str, untied: bool, tmp_path: Path) -> None:
    save_model(tiny(shape), tmp_path)
    tokenizer, member = words(), ADAPTERS.validate("lora")
    tokenizer.backend_tokenizer.add_tokens(["<a>", "<b>"])
    model = load_for_training(
        ModelSettings(name_or_path="x", untie_embeddings=untied), member, place=tmp_path, tokenizer=tokenizer,
        precision="fp32", device="cpu", seed=0, new_tokens={"<a>": "", "<b>": ""},
    )  # fmt: skip
    expected = sum(p.numel() for p in model.parameters()), sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert count_parameters(tmp_path, member, new_tokens=(97, 98), untied=untied) == expected
    with pytest.raises(ModelError, match="adapter 'vera'"):
        count_parameters(tmp_path, ADAPTERS.validate("vera"), new_tokens=(97, 98))


@pytest.mark.parametrize("shape", ["llama", "llama3"])
@pytest.mark.parametrize("way", ["full", "lora"])
def test_a_head_takes_the_place_of_the_output_layer(shape: str, way: str, tmp_path: Path) -> None:
    """As it is loaded, tied or not."""
    save_model(tiny(shape), tmp_path)
    head = HEADS.validate({"type": "sequence_classification", "hidden_sizes": [7], "pooling": "attention"})
    labels = [{"head": head.type, "kind": "class", "size": 3, "names": ["a", "b", "c"]}]
    adapter = ADAPTERS.validate(way)
    loaded = load_for_training(
        ModelSettings(name_or_path=str(tmp_path)), adapter, place=tmp_path, tokenizer=words(), precision="fp32",
        device="cpu", seed=0, packing=False, head=head, labels=labels,
    )  # fmt: skip
    sizes = [(p.numel(), p.requires_grad) for p in loaded.parameters()]
    expected = (sum(size for size, _ in sizes), sum(size for size, trained in sizes if trained))
    assert count_parameters(tmp_path, adapter, head=head, labels=labels) == expected
