"""B25: a QLoRA run that was killed goes on bit for bit; its checkpoints hold all of the state and nothing of the base."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from dadeum.config.model import ModelSettings
from dadeum.core.artifact import read_json, read_manifest
from dadeum.core.progress import Silent
from dadeum.data.contract import open_prompt
from dadeum.model.save import save_model
from dadeum.train.job import TrainJob
from dadeum.train.processes import Processes
from dadeum.train.state import checkpoints
from dadeum.train.step import prepare
from tests.train import children
from tests.train.support import LLAMA, make_formatted, make_job, tensors, trained


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Formatted rows, and a base that knows their tokens."""
    root = tmp_path_factory.mktemp("made")
    formatted = make_formatted(root)
    tokenizer, _ = open_prompt(formatted / "prompt")
    torch.manual_seed(0)
    config = AutoConfig.for_model(**{**LLAMA, "vocab_size": len(tokenizer), "attention_dropout": 0.2})
    save_model(AutoModelForCausalLM.from_config(config, dtype=torch.float32), root / "base")
    return formatted, root / "base"


def job_of(root: Path, made: tuple[Path, Path], run: str, wanted: dict[str, Any], **changes: Any) -> TrainJob:
    adapter = {"type": "lora", "r": 4, "lora_dropout": 0.2}
    job = make_job(root, made[0], run=run, adapter=adapter, max_steps=6, save_steps=2.0, eval_steps=2.0, **changes)
    model = ModelSettings.model_validate({"name_or_path": str(made[1]), "quantization": wanted})
    return replace(job, model=model, model_place=made[1])


@pytest.mark.parametrize(("wanted", "precision"), [({"bits": 4}, "fp32"), ({"bits": 8}, "bf16")])
def test_killed_and_run_again(tmp_path: Path, made: tuple[Path, Path], wanted: dict[str, Any], precision: str) -> None:
    """Validations lie between, which must not change the layers of few bits."""
    whole, job = (job_of(tmp_path, made, name, wanted, precision=precision) for name in ("whole", "killed"))
    assert children.run(whole, tmp_path / "whole.json") == (0, "")
    for fault in ("train.step:3", "save.before_rename"):
        assert children.run(job, tmp_path / "killed.json", fault) == (-9, "")
    assert children.run(job, tmp_path / "killed.json") == (0, "")
    columns = ("loss", "learning_rate", "grad_norm", "tokens")
    assert trained(job, *columns) == trained(whole, *columns)
    a, b = (tensors(j.final, "adapter_model.safetensors") for j in (job, whole))
    assert a.keys() == b.keys() and all(a[key].equal(b[key]) and a[key].dtype == torch.float32 for key in a)
    assert all("lora_" in key for key in a), "nothing of the base"
    last = checkpoints(job.checkpoints)[-1].folder
    names = {f.relative_to(last).as_posix() for f in last.rglob("*") if f.is_file()}
    assert {
        "adapter_model.safetensors",
        "adapter_config.json",
        "dadeum_model.json",
        "state/optimizer.safetensors",
    } <= names
    assert not {name for name in names if name.startswith("model.")}
    manifest = read_manifest(job.final)
    assert manifest is not None and manifest.made_from["model"]["quantization"]["bits"] == wanted["bits"]
    stats = read_json(job.final / "training_stats.json")
    full = sum(p.numel() for p in AutoModelForCausalLM.from_pretrained(made[1]).parameters())
    assert stats["parameters"] == full + stats["trainable_parameters"]
    assert stats["weights_bytes"] < 4 * full and stats["quantization"].startswith(
        "nf4" if wanted["bits"] == 4 else "int8"
    )


def test_checkpointed_adapters_on_few_bits_get_gradients(tmp_path: Path, made: tuple[Path, Path]) -> None:
    """A19, A21: through frozen embeddings and rounded layers; what is trained stays float32 whatever the base is held in."""
    job = job_of(tmp_path, made, "run", {"bits": 4}, gradient_checkpointing=True, precision="bf16")
    loop = prepare(job, Silent(), Processes(), {})
    before = {n: p.detach().clone() for n, p in loop.module.named_parameters() if p.requires_grad}
    assert {p.dtype for p in before.values()} == {torch.float32}
    assert {p.dtype for p in loop.module.parameters() if not p.requires_grad} == {torch.uint8, torch.bfloat16}
    loop.run()
    moved = {n: not torch.equal(p, before[n]) for n, p in loop.module.named_parameters() if n in before}
    assert all(moved.values())
