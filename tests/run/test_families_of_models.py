"""Every family of models by the real path, a YAML file and `dadeum run`: trained, broken off, gone on with, merged, asked.

Models are small, of the real configuration classes (`tests/model/tiny.py`: windows shorter than the sequences, capped
scores, layers without rotation, half-rotated heads, fused projections, tied and untied embeddings).
"""

import gc
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from dadeum.generate.engine import Engine
from dadeum.tokenizer.load import load_tokenizer
from tests.data.small import make_tokenizer
from tests.generate.support import QUESTIONS
from tests.run.families import REAL, TARGETS, Trained, make_base, make_root, published, train_twice, write_experiment
from tests.run.lab import cli, fine, runs_of, whole_artifacts

# Tied and untied, Conv1D and fused, with windows and caps.
FULL = ("smollm2", "gpt2", "gemma2", "exaone4")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A base and an experiment of each family; rows and tokenizer are shared, so they are preprocessed once."""
    torch.set_num_threads(1)
    root = make_root(tmp_path_factory.mktemp("families") / "lab")
    tokenizer = load_tokenizer(make_tokenizer(root / "tokenizer"))
    for shape in TARGETS:
        make_base(root / "bases" / shape, shape, tokenizer)
        write_experiment(root, shape, shape)
    for shape in FULL:
        write_experiment(root, f"{shape}-full", shape, "{type: full}")
    gc.collect()
    gc.freeze()  # dadeum collects garbage between models, which else walks over all that was imported: a quarter of the time
    yield root
    gc.unfreeze()


# Llama but for what others have as well (tied, with biases, with windows); the proof trains them too.
SIBLINGS = ("llama3", "smollm2", "qwen2", "qwen3", "mistral")
QUICK = [pytest.param(name, marks=pytest.mark.slow if name in SIBLINGS else ()) for name in TARGETS]


@pytest.fixture(scope="module", params=QUICK)
def adapted(request: pytest.FixtureRequest, lab: Path) -> Trained:
    """The family's run with LoRA."""
    return train_twice(lab, request.param, request.param)


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=pytest.mark.slow if name in SIBLINGS else ()) for name in FULL]
)
def full(request: pytest.FixtureRequest, lab: Path) -> Trained:
    """The family's run with all weights trained."""
    return train_twice(lab, f"{request.param}-full", request.param)


def losses(trained: Trained) -> list[list[tuple[int, float]]]:
    """Step and loss, of the run that was broken off and of the other one."""
    found = []
    for run in (trained.run, trained.undisturbed):
        lines = [json.loads(line) for line in (run.evidence / "metrics.jsonl").read_text("utf-8").splitlines()]
        found.append([(line["step"], line["loss"]) for line in lines if "loss" in line])
    return found


def is_the_same(trained: Trained, file: str) -> None:
    (log,) = trained.undisturbed.evidence.glob("training_*.log")
    assert "packing with dadeum_packed attention" in log.read_text("utf-8")
    logs = "".join(log.read_text("utf-8") for log in trained.run.evidence.glob("training_*.log"))
    assert re.findall(r"continues after step (\d+)", logs) == ["2"]
    broken, undisturbed = losses(trained)
    assert broken == undisturbed and [step for step, _ in broken] == [1, 2, 3, 4]
    assert (trained.run.final / file).read_bytes() == (trained.undisturbed.final / file).read_bytes()
    for run in (trained.run, trained.undisturbed):
        whole_artifacts(run.checkpoints)


def ids_of(engine: Engine) -> list[list[int]]:
    return engine.prompts([engine.contract.messages(question) for question in QUESTIONS])


def answers(place: Path, engine: Engine, new: int) -> None:
    """Alone, in a batch and by transformers from the folder: the same tokens."""
    asked = [engine.contract.messages(question) for question in QUESTIONS]
    together = engine.replies(asked, max_new_tokens=new, batch_size=len(asked))
    assert [r.ids for r in together] == [engine.replies([one], max_new_tokens=new)[0].ids for one in asked]
    model = AutoModelForCausalLM.from_pretrained(place)
    for ids, reply in zip(ids_of(engine), together, strict=True):
        prompt = torch.tensor([ids])
        made = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=new, do_sample=False,
                              repetition_penalty=1.0)[0, prompt.shape[1]:].tolist()  # fmt: skip
        assert tuple(made if reply.cut else made[:-1]) == reply.ids
        assert reply.cut or made[-1] in engine.stop_ids


def is_merged(adapted: Trained) -> None:
    """For plain PEFT and transformers; and tied where the base is."""
    place = adapted.run.checkpoints / "merged"
    ids = torch.tensor([ids_of(Engine.open(place))[3]])
    merged = AutoModelForCausalLM.from_pretrained(place)
    base = AutoModelForCausalLM.from_pretrained(adapted.base)
    with torch.no_grad():
        plain, found = base(ids).logits, merged(ids).logits
        expected = PeftModel.from_pretrained(base, str(adapted.run.final)).eval()(ids).logits
    assert (found - expected).abs().max() <= 1e-4
    assert (found - plain).abs().max() > 1e-2
    tied = TARGETS[adapted.base.name][1]
    assert merged.config.tie_word_embeddings is tied
    assert (merged.get_input_embeddings().weight is merged.get_output_embeddings().weight) is tied
    assert sorted(load_file(place / "model.safetensors")) == sorted(load_file(adapted.base / "model.safetensors"))


def test_broken_off_and_gone_on_with_is_the_undisturbed_run(adapted: Trained) -> None:
    is_the_same(adapted, "adapter_model.safetensors")


def test_all_linear_layers_and_no_others_are_adapted(adapted: Trained) -> None:
    expected, _ = TARGETS[adapted.base.name]
    tensors = load_file(adapted.run.final / "adapter_model.safetensors")
    assert {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in tensors} == expected
    config = json.loads((adapted.run.final / "adapter_config.json").read_text("utf-8"))
    assert config["fan_in_fan_out"] is (adapted.base.name == "gpt2")
    assert all(tensor.any() for tensor in tensors.values()), "every matrix has moved"


def test_the_merged_model_is_the_adapter_on_its_base_for_plain_transformers(adapted: Trained) -> None:
    is_merged(adapted)


def test_answers_alone_together_and_by_transformers(adapted: Trained) -> None:
    answers(adapted.run.checkpoints / "merged", Engine.open(adapted.run.final, base=adapted.base), 12)


def test_generation_settings_of_the_base_are_kept_and_the_end_is_the_templates(adapted: Trained) -> None:
    for place in (adapted.run.final, adapted.run.checkpoints / "merged"):
        found: dict[str, Any] = json.loads((place / "generation_config.json").read_text("utf-8"))
        tokenizer = AutoTokenizer.from_pretrained(place)
        assert found["eos_token_id"] == tokenizer.convert_tokens_to_ids("<|im_end|>")
        assert found["pad_token_id"] == tokenizer.convert_tokens_to_ids("<|endoftext|>")
        assert found["repetition_penalty"] == 1.1 and found["top_k"] == 20


def test_all_weights_broken_off_and_gone_on_with(full: Trained) -> None:
    is_the_same(full, "model.safetensors")
    tensors, base = load_file(full.run.final / "model.safetensors"), load_file(full.base / "model.safetensors")
    assert {name: t.shape for name, t in tensors.items()} == {name: t.shape for name, t in base.items()}
    assert all(not torch.equal(tensors[name], base[name]) for name in base), "every tensor has moved"
    answers(full.run.final, Engine.open(full.run.final), 12)


def test_what_a_recurrent_family_cannot_do_is_said_one_by_one_and_the_rest_is_done(lab: Path) -> None:
    mamba = {"model_type": "mamba", "num_hidden_layers": 2, "state_size": 4, "tie_word_embeddings": True}
    tokenizer = load_tokenizer(lab / "tokenizer")
    base = make_base(lab / "bases/mamba", "llama", tokenizer, **mamba)
    write_experiment(lab, "mamba", "mamba")
    refused = cli(lab, "run", "mamba")
    assert refused.code == 2 and len(refused.errors) == 1
    assert "'out_proj' is incompatible with Mamba" in refused.errors[0] and "name some of them" in refused.errors[0]
    targets = "adapter.target_modules=[in_proj, x_proj]"
    refused = cli(lab, "run", "mamba", targets)
    assert refused.code == 2 and len(refused.errors) == 1
    assert "a model of type 'mamba'" in refused.errors[0] and "set data.packing to false" in refused.errors[0]
    fine(lab, "run", "mamba", targets, "data.packing=false")
    (run,) = (run for run in runs_of(lab, "mamba") if run.final.is_dir())
    answers(run.checkpoints / "merged", Engine.open(run.final, base=base), 8)


@pytest.mark.slow
@pytest.mark.parametrize("shape", REAL)
def test_with_the_familys_tokenizer_and_template(shape: str, material: Path, tmp_path: Path) -> None:
    root, tokenizer = make_root(tmp_path / "lab", 20), published(material, shape)
    make_base(root / "bases" / shape, shape, tokenizer)
    write_experiment(root, shape, shape, length=384)
    trained = train_twice(root, shape, shape)
    is_the_same(trained, "adapter_model.safetensors")
    is_merged(trained)
    answers(trained.run.checkpoints / "merged", Engine.open(trained.run.final, base=trained.base), 8)
    end = tokenizer.convert_tokens_to_ids(REAL[shape][2])
    for place in (trained.run.final, trained.run.checkpoints / "merged"):
        assert json.loads((place / "generation_config.json").read_text("utf-8"))["eos_token_id"] == end
