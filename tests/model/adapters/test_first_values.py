"""Values that come from weights or rows: a drawn PiSSA as plain LoRA, LoftQ on rounded weights, EVA's end."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from dadeum.core.errors import ModelError
from dadeum.model.adapters import ADAPTERS, Start, _first_values, initialise
from dadeum.model.save import save_model
from tests.model.tiny import tiny

IDS = torch.arange(3, 20)[None]


def adapt(model: Any = None, **settings: Any) -> Any:
    made = ADAPTERS.validate({"type": "lora", "r": 4, **settings})
    torch.manual_seed(5)
    return ADAPTERS.of(made).apply(made, tiny("llama") if model is None else model)


@pytest.mark.parametrize("rslora", [False, True])
def test_a_drawn_pissa_is_plain_lora_of_twice_the_rank(rslora: bool, tmp_path: Path) -> None:
    from peft import PeftModel

    model = adapt(
        init_lora_weights="pissa_niter_2", use_rslora=rslora, rank_pattern={"q_proj": 2}, alpha_pattern={"v_proj": 3.0}
    ).eval()
    first = model(IDS).logits
    assert torch.allclose(first, tiny("llama")(IDS).logits, atol=1e-4), "what is taken out of the base is put back"
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    save_model(model, tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text("utf-8"))
    assert (config["r"], config["rank_pattern"], config["init_lora_weights"]) == (8, {"q_proj": 4}, True)
    want = model(IDS).logits
    torch.manual_seed(99)
    again = PeftModel.from_pretrained(tiny("llama"), str(tmp_path)).eval()(IDS).logits
    assert torch.allclose(again, want, atol=1e-4) and not torch.allclose(want, first, atol=1e-2)


def test_a_pissa_that_can_be_made_again_is_saved_as_it_is(tmp_path: Path) -> None:
    save_model(adapt(init_lora_weights="pissa"), tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text("utf-8"))
    assert (config["r"], config["init_lora_weights"]) == (4, "pissa")


def test_loftq_begins_nearer_to_the_base_than_rounding(tmp_path: Path) -> None:
    from dadeum.config.model import ModelSettings
    from dadeum.model.load import load_for_training
    from tests.model.words import words

    pytest.importorskip("bitsandbytes")
    sizes = {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
    }
    base = tiny("llama", **sizes)
    save_model(base, tmp_path)
    model = ModelSettings.model_validate({"name_or_path": "x", "quantization": {"bits": 4}})

    def distance(init: Any) -> float:
        settings = ADAPTERS.validate({"type": "lora", "r": 16, "init_lora_weights": init})
        made: Any = load_for_training(
            model, settings, place=tmp_path, tokenizer=words(), precision="fp32", device="cpu", seed=0, packing=False
        )
        initialise(settings, made, Start([], None, tmp_path))
        assert made.peft_config["default"].init_lora_weights is True, "loads without being made again"
        return float((made.eval()(IDS).logits - base(IDS).logits).detach().pow(2).mean())

    plain, better = distance(True), distance("loftq")
    assert better < 0.8 * plain


def test_loftq_names_a_tensor_that_is_not_stored(tmp_path: Path) -> None:
    save_model(tiny("gpt2"), tmp_path)
    with pytest.raises(ModelError, match=r"stores no tensor 'model\.layers\.0\.self_attn\.q_proj\.weight'"):
        _first_values.loftq(adapt(), Start([], None, tmp_path))


def test_eva_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """PEFT goes round until the directions stand still, if ever."""
    rounds = _first_values._Rounds([{"a": 1}] * 3)
    monkeypatch.setattr(_first_values, "MOST_PASSES", 7)
    with pytest.raises(ModelError, match="still move after 7 passes"):
        while True:
            assert len(list(rounds)) == 3
