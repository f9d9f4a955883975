"""A merged model is its adapter on its base, for plain transformers in a fresh process too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from dadeum.core.progress import Silent
from dadeum.export.step import export
from dadeum.export.targets import TARGETS, Source, merged
from dadeum.export.whole import stored_dtype
from tests.generate.support import opened, save_adapter, save_small, user

FRESH = """
import json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
ids = tokenizer.apply_chat_template([{"role": "user", "content": "안녕 hi"}], add_generation_prompt=True, return_dict=False)
with torch.no_grad():
    logits = model(torch.tensor([ids])).logits[0, -1].tolist()
print(json.dumps([ids, logits, model.generation_config.eos_token_id]))
"""


def settings(dtype: str = "auto") -> merged.Settings:
    return merged.Settings.model_validate({"dtype": dtype})


def logits(folder: Path, base: Path | None = None) -> torch.Tensor:
    engine = opened(folder, base=base)
    with torch.no_grad():
        found: torch.Tensor = engine.model(torch.tensor([engine.prompt_ids(user("안녕 hi"))])).logits[0]
    return found


@pytest.mark.parametrize("shape", ["llama", "qwen2", "gpt2"])
def test_merged_logits_are_the_adapters(tmp_path: Path, shape: str) -> None:
    base = save_small(tmp_path / "base", shape)
    adapter = save_adapter(tmp_path / "final", base)
    report = export(settings(), final=adapter, base=base, out=tmp_path / "merged", reporter=Silent())
    assert report["max_logit_difference"] <= 1e-4
    assert report["same_greedy_answers"] == report["same_likeliest_token"] == 1.0
    assert (logits(tmp_path / "merged") - logits(adapter, base)).abs().max() <= 1e-4
    assert (logits(tmp_path / "merged") - logits(base)).abs().max() > 1e-2


def test_plain_transformers_loads_it_in_a_fresh_process(tmp_path: Path) -> None:
    base = save_small(tmp_path / "base")
    adapter = save_adapter(tmp_path / "final", base)
    export(settings(), final=adapter, base=base, out=tmp_path / "merged", reporter=Silent())
    engine = opened(adapter, base=base)
    for folder in (base, adapter):  # the merged model stands alone
        folder.rename(folder.with_name(f"moved-{folder.name}"))
    out = subprocess.run(
        [sys.executable, "-c", FRESH, str(tmp_path / "merged")], capture_output=True, text=True, check=True
    )
    ids, found, stops = json.loads(out.stdout)
    assert ids == engine.prompt_ids(user("안녕 hi"))
    with torch.no_grad():
        expected = engine.model(torch.tensor([ids])).logits[0, -1]
    assert (torch.tensor(found) - expected).abs().max() <= 1e-4
    assert set(engine.stop_ids) <= set(stops if isinstance(stops, list) else [stops])


def test_a_whole_model_is_copied(tmp_path: Path) -> None:
    final = save_small(tmp_path / "final")
    report = export(settings(), final=final, base=None, out=tmp_path / "merged", reporter=Silent())
    assert report["max_logit_difference"] == 0.0
    assert (tmp_path / "merged/model.safetensors").read_bytes() == (final / "model.safetensors").read_bytes()
    assert not (tmp_path / "merged/tokenizer_only").exists()


def test_16_bits_are_measured_by_their_divergence(tmp_path: Path) -> None:
    base = save_small(tmp_path / "base")
    adapter = save_adapter(tmp_path / "final", base)
    report = export(settings("bfloat16"), final=adapter, base=base, out=tmp_path / "merged", reporter=Silent())
    assert report["dtype"] == stored_dtype(tmp_path / "merged") == "bfloat16"
    assert 0 < report["mean_kl"] <= 0.02
    whole = export(settings("bfloat16"), final=base, base=None, out=tmp_path / "cast", reporter=Silent())
    assert whole["dtype"] == stored_dtype(tmp_path / "cast") == "bfloat16"
    assert (tmp_path / "cast/dadeum_prompt.json").is_file()


def test_auto_keeps_the_type_of_the_base(tmp_path: Path) -> None:
    base = save_small(tmp_path / "base")
    file = base / "model.safetensors"
    save_file({name: t.bfloat16() for name, t in load_file(file).items()}, file, metadata={"format": "pt"})
    assert stored_dtype(base) == "bfloat16"
    adapter = save_adapter(tmp_path / "final", base)
    export(settings(), final=adapter, base=base, out=tmp_path / "merged", reporter=Silent())
    assert stored_dtype(tmp_path / "merged") == "bfloat16"


def test_the_family_finds_it() -> None:
    assert "merged" in TARGETS.names
    assert TARGETS.of(settings()).folder == "merged"
    assert merged.verify.__doc__ and Source(Path("x")).base is None
