"""What is written loads again, alone and by plain PEFT and transformers, and says where to stop."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import GenerationConfig

from dadeum.core.errors import ModelError
from dadeum.model.load import load_for_inference, named_base
from dadeum.model.packing import use_packing
from dadeum.model.save import save_model
from tests.model.adapted import IDS, adapted
from tests.model.tiny import tiny


@pytest.mark.parametrize("shape", ["llama", "gpt2", "gemma3"])
def test_an_adapter_is_small_and_gives_the_same_logits(shape: str, tmp_path: Path) -> None:
    model = adapted(shape)
    save_model(tiny(shape), tmp_path / "base")
    save_model(model, tmp_path / "adapter", stop_ids=(2, 9))
    assert sorted(f.name for f in (tmp_path / "adapter").iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "generation_config.json",
    ]  # fmt: skip
    again: Any = load_for_inference(tmp_path / "adapter", base=tmp_path / "base")
    assert torch.equal(model(IDS).logits, again(IDS).logits)
    assert not torch.allclose(again(IDS).logits, tiny(shape)(IDS).logits, atol=1e-3)


def test_plain_peft_reads_the_adapter(tmp_path: Path) -> None:
    from peft import PeftModel

    model = adapted()
    save_model(model, tmp_path)
    assert torch.equal(PeftModel.from_pretrained(tiny("llama"), str(tmp_path)).eval()(IDS).logits, model(IDS).logits)


def test_the_files_of_an_adapter_are_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_model(adapted(), tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    config = json.loads((tmp_path / "one" / "adapter_config.json").read_text("utf-8"))
    assert config["target_modules"] == sorted(config["target_modules"]) and config["inference_mode"] is True


def test_trained_types_are_kept(tmp_path: Path) -> None:
    save_model(tiny("llama"), tmp_path / "full")
    save_model(adapted(dtype=torch.bfloat16), tmp_path / "lora")
    assert {t.dtype for t in load_file(tmp_path / "full" / "model.safetensors").values()} == {torch.float32}
    assert {t.dtype for t in load_file(tmp_path / "lora" / "adapter_model.safetensors").values()} == {torch.float32}
    assert json.loads((tmp_path / "full" / "config.json").read_text("utf-8"))["dtype"] == "float32"


def test_generation_stops_at_the_end_of_a_turn(tmp_path: Path) -> None:
    model = tiny("llama")
    likely = int(model(IDS).logits[0, -1].argmax())
    save_model(model, tmp_path / "one", stop_ids=(likely,), pad_id=0)
    save_model(model, tmp_path / "two", stop_ids=(2, likely), pad_id=0)
    save_model(model, tmp_path / "none")
    for name, stops in (("one", likely), ("two", [2, likely]), ("none", 2)):
        assert GenerationConfig.from_pretrained(tmp_path / name).eos_token_id == stops
        assert "_from_model_config" not in json.loads((tmp_path / name / "generation_config.json").read_text("utf-8"))
    stopping: Any = load_for_inference(tmp_path / "two")
    assert stopping.generate(IDS, max_new_tokens=9, do_sample=False)[0, IDS.shape[1] :].tolist() == [likely]


def test_settings_that_transformers_will_not_write_do_not_lose_a_model(tmp_path: Path) -> None:
    model = tiny("llama")
    model.generation_config.temperature = 0.7
    model.generation_config.do_sample = False
    with pytest.raises(ValueError, match="GenerationConfig is invalid"):
        model.save_pretrained(tmp_path / "plain")
    save_model(model, tmp_path / "ours", stop_ids=(2,))
    again: Any = load_for_inference(tmp_path / "ours")
    assert (again.generation_config.temperature, again.generation_config.eos_token_id) == (0.7, 2)
    assert model.generation_config.temperature == 0.7


def test_a_model_that_was_packed_or_wrapped_saves_alike(tmp_path: Path) -> None:
    plain, other = tiny("llama"), tiny("llama")
    use_packing(other)
    save_model(plain, tmp_path / "plain")
    save_model(nn.DataParallel(other), tmp_path / "other")
    for file in (tmp_path / "plain").iterdir():
        assert file.read_bytes() == (tmp_path / "other" / file.name).read_bytes()
    save_model(nn.DataParallel(adapted()), tmp_path / "adapter")
    assert (tmp_path / "adapter" / "adapter_model.safetensors").is_file()


def test_the_base_that_an_adapter_names(tmp_path: Path) -> None:
    model = adapted()
    save_model(tiny("llama"), tmp_path / "base")
    model.peft_config["default"].base_model_name_or_path = str(tmp_path / "base")
    save_model(model, tmp_path / "adapter")
    assert named_base(tmp_path / "adapter") == tmp_path / "base"
    found: Any = load_for_inference(tmp_path / "adapter")
    assert torch.equal(found(IDS).logits, model(IDS).logits)
    model.peft_config["default"].base_model_name_or_path = "some/model"
    save_model(model, tmp_path / "adapter")
    with pytest.raises(ModelError, match="an adapter on 'some/model', which is no folder here"):
        load_for_inference(tmp_path / "adapter")


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    save_model(adapted("gpt2"), tmp_path / "adapter")
    save_model(tiny("llama"), tmp_path / "base")
    with pytest.raises(ModelError, match="does not fit"):
        load_for_inference(tmp_path / "adapter", base=tmp_path / "base")
    save_model(tiny("llama", num_hidden_layers=2, layer_types=None), tmp_path / "shallow")
    save_model(adapted(), tmp_path / "deep")
    with pytest.raises(ModelError, match="belongs to no layer of the base"):
        load_for_inference(tmp_path / "deep", base=tmp_path / "shallow")
