"""Any method of PEFT by its name; its keys are checked by PEFT's own class."""

from typing import Any

import pytest

from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS, Beside, peft, refuse
from tests.model.tiny import tiny


def made(**settings: Any) -> peft.Settings:
    found = ADAPTERS.validate({"type": "peft", **settings})
    assert isinstance(found, peft.Settings)
    return found


def test_keys_reach_peft_and_are_written_down() -> None:
    settings = made(peft_type="LOHA", r=3, target_modules=["q_proj"])
    assert settings.model_dump(mode="json") == {
        "type": "peft",
        "peft_type": "LOHA",
        "r": 3,
        "target_modules": ["q_proj"],
    }
    model: Any = peft.apply(settings, tiny("llama"))
    config = model.peft_config["default"]
    assert (config.r, config.target_modules, config.peft_type) == (3, {"q_proj"}, "LOHA")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"peft_type": "LOHA", "rnak_dropout": 0.1}, r"adapter\.rnak_dropout: .*did you mean 'rank_dropout'"),
        ({"peft_type": "LOHA", "task_type": "SEQ_CLS"}, r"adapter\.task_type: PEFT's 'LOHA' has no such setting"),
        ({"peft_type": "loha"}, "found 'loha', expected one of PEFT's: .*did you mean 'LOHA'"),
        ({"peft_type": "LORA"}, "has settings of its own here; write type: lora"),
        ({"peft_type": "PREFIX_TUNING"}, "write type: prefix_tuning"),
        ({"peft_type": "XLORA"}, "mixes adapters that were trained before"),
        ({"peft_type": "OSF"}, "changes the base's weights themselves"),
        ({"peft_type": "ROAD", "group_size": 3}, "PEFT refuses these settings of 'ROAD': "),
    ],
)
def test_what_peft_does_not_know_is_one_sentence(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        refuse(made(**settings), Beside())


def test_a_name_is_needed() -> None:
    with pytest.raises(ValueError, match="peft_type"):
        ADAPTERS.validate({"type": "peft"})


def test_layers_that_the_method_does_not_know() -> None:
    with pytest.raises(ModelError, match=r"found 'LOHA' on a 'gpt2' model, .*use adapter: lora"):
        peft.apply(made(peft_type="LOHA", target_modules=["c_attn"]), tiny("gpt2"))
    with pytest.raises(ModelError, match=r"adapter\.target_modules: found 'c_attn'"):
        peft.apply(made(peft_type="LOHA", target_modules=["c_attn"]), tiny("llama"))


def test_what_can_be_merged() -> None:
    assert peft.mergeable(made(peft_type="LOHA")) and not peft.mergeable(made(peft_type="P_TUNING"))
    assert not peft.mergeable(made(peft_type="BEFT")) and not peft.mergeable(made(peft_type="LILY"))


@pytest.mark.parametrize(("kind", "bits"), [("SHIRA", 4), ("SHIRA", 8), ("UNILORA", 8), ("LOHA", 4)])
def test_methods_that_do_not_know_layers_of_few_bits(kind: str, bits: int) -> None:
    with pytest.raises(ModelError, match=rf"found '{kind}' beside 'model\.quantization: {bits} bits'"):
        refuse(made(peft_type=kind), Beside(bits=bits))
    refuse(made(peft_type="LOHA"), Beside(bits=8))
    refuse(made(peft_type="OFT"), Beside(bits=4))
