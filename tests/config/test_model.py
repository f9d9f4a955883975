"""dadeum.config.model: the base and its tokenizer."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.config.model import ModelSettings, TokenizerSettings


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
    [{"dtype": "int8"}, {"attn_implementation": "flash"}, {"trust_remote_code": "yes"}, {"quantization": None}],
)
def test_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModelSettings.model_validate(values)


def test_tokenizer_is_the_models_own_by_default() -> None:
    assert TokenizerSettings().model_dump() == {"name_or_path": None, "revision": "main", "chat_template": None}
