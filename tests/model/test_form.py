"""What a base was beside its own folder is written beside the adapter, and believed only where it is whole."""

from pathlib import Path

import pytest
import torch

from dadeum.config.model import QuantizationSettings
from dadeum.core.errors import ModelError
from dadeum.model.form import FILE, Form, form_of, remember, untie
from tests.model.tiny import tiny


@pytest.mark.parametrize(
    "form",
    [
        Form(QuantizationSettings(type="fp4"), "float32"),
        Form(rows=99),
        Form(untied=True),
        Form(QuantizationSettings(bits=8)),
    ],
)
def test_there_and_back(form: Form, tmp_path: Path) -> None:
    form.save(tmp_path)
    assert Form.load(tmp_path) == form


def test_nothing_to_say_leaves_no_file(tmp_path: Path) -> None:
    Form().save(tmp_path)
    assert not (tmp_path / FILE).exists() and Form.load(tmp_path) == Form()


@pytest.mark.parametrize(
    "text",
    ["[]", "{", "{}", '{"version": 2, "quantization": null}', '{"version": 1}', '{"version": 1, "quantization": {"bits": 3}}',
     '{"version": 1, "quantization": null, "rows": "9"}', '{"version": 1, "quantization": null, "other": 1}'],
)  # fmt: skip
def test_a_damaged_note_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=FILE):
        Form.load(tmp_path)


def test_untied_layers_are_equal_at_first_and_two() -> None:
    model = tiny("llama3")
    remember(model, Form(untied=True))
    assert form_of(model).untied and form_of(tiny("llama")) == Form()
    assert untie(model) and not untie(model) and not untie(tiny("llama"))
    inside, outside = model.get_input_embeddings().weight, model.get_output_embeddings().weight
    assert inside is not outside and torch.equal(inside, outside)
    assert model.config.tie_word_embeddings is False
