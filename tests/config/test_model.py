"""dadeum.config.model: the base and its tokenizer."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.config.model import ModelSettings, QuantizationSettings, TokenizerSettings


def test_code_of_the_model_is_not_run_unless_asked() -> None:
    assert ModelSettings().trust_remote_code is False
    assert (ModelSettings().revision, ModelSettings().init, ModelSettings().dtype) == ("main", "pretrained", "auto")


@pytest.mark.parametrize("values", [{"config": {}}, {"config": {"model_type": "llama"}, "init": "pretrained"}])
def test_a_configuration_is_for_fresh_weights_only(values: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="only with 'init: random'"):
        ModelSettings.model_validate(values)
    monkeypatch.setenv("DADEUM_LANG", "ko")
    with pytest.raises(ValidationError, match="함께만"):
        ModelSettings.model_validate(values)
    assert ModelSettings.model_validate({**values, "init": "random"}).config == values["config"]


@pytest.mark.parametrize(
    "values",
    [{"dtype": "int8"}, {"attn_implementation": "flash"}, {"trust_remote_code": "yes"}, {"quantised": None}],
)
def test_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModelSettings.model_validate(values)


def test_tokenizer_is_the_models_own_by_default() -> None:
    assert TokenizerSettings().model_dump() == {
        "name_or_path": None,
        "revision": "main",
        "chat_template": None,
        "add_special_tokens": (),
    }


def test_four_bits_have_a_kind_and_eight_have_none() -> None:
    four = ModelSettings.model_validate({"quantization": {}}).quantization
    assert four is not None and (four.bits, four.scheme) == (4, "nf4 + double quantization")
    single = QuantizationSettings.model_validate({"type": "fp4", "double_quantization": False})
    assert (single.scheme, single.double) == ("fp4", False)
    eight = QuantizationSettings.model_validate({"bits": 8})
    assert (eight.scheme, eight.double) == ("int8", False)
    for values in ({"type": "nf4"}, {"double_quantization": True}):
        with pytest.raises(ValidationError, match=f"{next(iter(values))}: only with 'bits: 4'"):
            QuantizationSettings.model_validate({"bits": 8, **values})
    with pytest.raises(ValidationError, match="bits"):
        QuantizationSettings.model_validate({"bits": 3})


def test_fresh_weights_are_not_quantised() -> None:
    with pytest.raises(ValidationError, match="quantization: not with 'init: random'"):
        ModelSettings.model_validate({"init": "random", "config": {"model_type": "llama"}, "quantization": {}})


def test_new_tokens_are_a_list_or_described() -> None:
    assert TokenizerSettings.model_validate({"add_special_tokens": ["<a>", "<b>"]}).new_tokens == {"<a>": "", "<b>": ""}
    described = TokenizerSettings.model_validate({"add_special_tokens": {"<a>": "a name", "<b>": None}})
    assert described.new_tokens == {"<a>": "a name", "<b>": ""}
    for tokens, text in ((["<a>", "<a>"], "twice"), ([" a"], "without blanks"), ({"": None}, "without blanks")):
        with pytest.raises(ValidationError, match=text):
            TokenizerSettings.model_validate({"add_special_tokens": tokens})
