"""A merged model is what its adapter was, in a fresh process and for plain transformers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dadeum.core.artifact import verified
from dadeum.core.errors import ModelError
from dadeum.model.load import load_for_inference
from dadeum.model.merge import merge
from dadeum.model.save import save_model
from tests.model.adapted import IDS, adapted, folders
from tests.model.tiny import SHAPES, tiny
from tests.model.words import words

FRESH = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
answers = {}
for place, ids in json.loads(sys.argv[1]):
    model = AutoModelForCausalLM.from_pretrained(place)
    tokenizer = AutoTokenizer.from_pretrained(place)
    with torch.no_grad():
        logits = model(torch.tensor(ids)).logits
    tied = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    stops = model.generation_config.eos_token_id
    answers[place] = [logits.tolist(), str(logits.dtype), tied, model.config.tie_word_embeddings, stops, len(tokenizer)]
assert "dadeum" not in sys.modules
print(json.dumps(answers))
"""


def peft_on_tied_head(place: Path) -> tuple[Path, Path, torch.Tensor]:
    """An adapter that our own settings refuse, made by PEFT: on the output layer of tied embeddings."""
    from peft import LoraConfig, get_peft_model

    base = tiny("qwen2", tie_word_embeddings=True)
    save_model(base, place / "base")
    with pytest.warns(UserWarning, match="tie_word_embeddings=True"):
        model: Any = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj", "lm_head"]))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1)
    save_model(model.eval(), place / "adapter")
    return place / "adapter", place / "base", model(IDS).logits.detach()


def test_a_fresh_process_gives_the_logits_of_the_adapter(tmp_path: Path) -> None:
    cases: dict[str, torch.Tensor] = {}
    tied = {}
    for shape in SHAPES:
        adapter, base, logits = folders(tmp_path / shape, shape)
        words().save_pretrained(base)
        out = str(merge(adapter, base, tmp_path / shape / "merged"))
        cases[out], tied[out] = logits, tiny(shape).config.tie_word_embeddings
    adapter, base, logits = peft_on_tied_head(tmp_path / "head")
    words().save_pretrained(adapter)
    out = str(merge(adapter, base, tmp_path / "head" / "merged"))
    cases[out], tied[out] = logits, False
    asked = json.dumps([[place, IDS.tolist()] for place in cases])
    done = subprocess.run(
        [sys.executable, "-c", FRESH, asked], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for place, (logits, dtype, is_tied, says_tied, stops, size) in json.loads(done.stdout).items():
        assert dtype == "torch.float32"
        assert (torch.tensor(logits) - cases[place]).abs().max() <= 1e-4, place
        assert is_tied == says_tied == tied[place], place
        assert stops == ([2, 9] if "head" not in place else 2), place
        assert size == 97


def test_the_result_is_an_artifact_with_what_made_it(tmp_path: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    words().save_pretrained(adapter)
    (adapter / "dadeum_prompt.json").write_text("{}", encoding="utf-8")
    (adapter / "training_stats.json").write_text("{}", encoding="utf-8")
    (adapter / "state").mkdir()
    merge(adapter, base, tmp_path / "merged")
    manifest = verified(tmp_path / "merged")
    assert manifest.kind == "merged" and set(manifest.made_from) == {"adapter", "base", "dtype"}
    assert {
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "dadeum_prompt.json",
    } <= set(manifest.files)
    assert not {"adapter_config.json", "adapter_model.safetensors", "training_stats.json"} & set(manifest.files)


def test_the_type_that_is_asked_for(tmp_path: Path) -> None:
    adapter, base, logits = folders(tmp_path)
    merge(adapter, base, tmp_path / "short", "bfloat16")
    assert {t.dtype for t in load_file(tmp_path / "short" / "model.safetensors").values()} == {torch.bfloat16}
    assert json.loads((tmp_path / "short" / "config.json").read_text("utf-8"))["dtype"] == "bfloat16"
    short: Any = load_for_inference(tmp_path / "short")
    assert (short(IDS).logits - logits).abs().max() <= 0.05 * logits.abs().max()


def test_the_base_that_the_adapter_names_is_taken(tmp_path: Path) -> None:
    model = adapted()
    model.peft_config["default"].base_model_name_or_path = str(tmp_path / "base")
    save_model(tiny("llama"), tmp_path / "base")
    save_model(model, tmp_path / "adapter")
    merge(tmp_path / "adapter", None, tmp_path / "merged")
    found: Any = load_for_inference(tmp_path / "merged")
    assert torch.allclose(found(IDS).logits, model(IDS).logits, atol=1e-4)


def test_a_sum_that_is_not_finite_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    tensors = load_file(base / "model.safetensors")
    tensors["model.layers.0.self_attn.q_proj.weight"][0, 0] = float("nan")
    save_file(tensors, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"NaN|not finite"):
        merge(adapter, base, tmp_path / "merged")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["adapter", "base"]


def test_a_whole_model_is_nothing_to_merge(tmp_path: Path) -> None:
    _, base, _ = folders(tmp_path)
    with pytest.raises(ModelError, match="found no adapter"):
        merge(base, base, tmp_path / "merged")


def test_a_second_merge_replaces_the_first(tmp_path: Path) -> None:
    adapter, base, logits = folders(tmp_path)
    merge(adapter, base, tmp_path / "merged", "bfloat16")
    merge(adapter, base, tmp_path / "merged")
    found: Any = load_for_inference(tmp_path / "merged")
    assert torch.allclose(found(IDS).logits, logits, atol=1e-4)


@pytest.mark.parametrize("adapter", ["prompt_tuning", "prefix_tuning"])
def test_tokens_before_each_text_cannot_be_merged(adapter: str, tmp_path: Path) -> None:
    from dadeum.model.adapters import ADAPTERS

    settings = ADAPTERS.validate({"type": adapter, "num_virtual_tokens": 3})
    save_model(tiny("llama"), tmp_path / "base")
    save_model(ADAPTERS.of(settings).apply(settings, tiny("llama")), tmp_path / "adapter")
    with pytest.raises(ModelError, match="which weights cannot hold; use it as an adapter on its base"):
        merge(tmp_path / "adapter", tmp_path / "base", tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
