"""A35: an id that the embedding has no row for is found before training, not by a device assert."""

from pathlib import Path

import pytest

from dadeum.config.model import ModelSettings
from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS
from dadeum.model.load import load_for_training
from dadeum.model.save import save_model
from tests.model.tiny import tiny
from tests.model.words import words


def load(place: Path, tokenizer: object) -> None:
    load_for_training(
        ModelSettings(name_or_path="x"), ADAPTERS.validate("lora"), place=place, tokenizer=tokenizer,  # type: ignore[arg-type]
        precision="fp32", device="cpu", seed=0,
    )  # fmt: skip


def test_one_token_too_many_and_a_padding_token_that_was_added(tmp_path: Path) -> None:
    save_model(tiny("llama"), tmp_path)
    load(tmp_path, words(97))
    padded = words(97)
    padded.add_special_tokens({"pad_token": "<pad>"})
    assert padded.pad_token_id == 97
    for tokenizer in (words(98), padded):
        with pytest.raises(ModelError, match="its largest id is 97, but the model's embedding has 97 rows"):
            load(tmp_path, tokenizer)
