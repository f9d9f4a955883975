"""A13, A15: tiny-ko in 4 bits with two tokens of its own, through the whole of `dadeum run`."""

import json
import re
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import torch

import dadeum
from dadeum.cli.lab import open_lab
from dadeum.core.artifact import read_json, read_manifest
from dadeum.data.contract import open_prompt
from dadeum.data.samples import Samples
from dadeum.model.few_bits import is_quantized
from dadeum.model.load import load_for_inference
from dadeum.run.stages import make_plan
from tests.run.lab import cli, copy, fine, inside, runs_of

NAME = "own"
YAML = """\
name: own
model: {name_or_path: tiny-ko, quantization: {bits: 4}}
tokenizer:
  chat_template: talk.jinja
  add_special_tokens: {"<|묻|>": 질문, "<|답|>": , "<ent>": 이름}
adapter: {type: lora, r: 4}
data:
  sources: [{type: csv, path: rows.csv}]
  split: {validation: 0.1, test: 0.1}
  max_length: 64
train: {max_steps: 4, total_train_batch_size: 8, per_device_train_batch_size: 8, learning_rate: 0.01, save_steps: 2}
evaluate: {metrics: [bits_per_byte], max_new_tokens: 4, limit: 4, few_shot: 0}
"""
TALK = (
    "{% for m in messages %}{{ '<|묻|>' if m['role'] == 'user' else '<|답|>' }}{{ m['content'] }}"
    "{% if m['role'] == 'assistant' %}<|im_end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|답|>{% endif %}"
)
TOKENS = ("<|묻|>", "<|답|>", "<ent>")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The workspace after its run, and what the run printed."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("own") / "lab"
    (root / "configs").mkdir(parents=True)
    shutil.copytree(Path(dadeum.__file__).parent / "assets" / "tiny-ko", root / "tiny-ko")
    (root / "configs" / f"{NAME}.yaml").write_text(YAML, encoding="utf-8")
    (root / "talk.jinja").write_text(TALK, encoding="utf-8")
    rows = "".join(f"{n}번 <ent>는 무엇인가요? <|답|>,<ent> {n * 7}입니다.\n" for n in range(60))
    (root / "rows.csv").write_text(f"question,answer\n{rows}", encoding="utf-8")
    return root, fine(root, "run", NAME).out


def test_the_run_says_what_it_holds_and_how_far_the_merged_model_is(own: tuple[Path, str]) -> None:
    root, said = own
    (run,) = runs_of(root, NAME)
    assert re.search(r"the weights take 1\d\.\d MiB of memory, the base in 4 bits \(nf4 \+ double quantization\)", said)
    assert re.search(r"agree on \d+\.\d% of the likeliest tokens \(\d+ tokens, test rows\)", said)
    report = run.record()["export"]["merged"]
    assert report["mean_kl"] <= 0.02 and 0.5 < report["agreement_same_likeliest_token"] < 1
    assert report["agreement_mean_kl"] > 0 and report["agreement_max_log_probability_difference"] > 0


def test_each_token_is_one_where_it_was_meant(own: tuple[Path, str]) -> None:
    """The template's own are its alone: the one that a question holds is text. The one for texts is read in them."""
    (run,) = runs_of(own[0], NAME)
    formatted = own[0] / str(run.record()["formatted"])
    tokenizer, contract = open_prompt(formatted / "prompt")
    asked, answered, entity = tokenizer.convert_tokens_to_ids(list(TOKENS))
    assert (asked, answered, entity) == (8000, 8001, 8002)
    sample = next(iter(Samples.open(formatted / "train.arrow")))
    ids = sample.input_ids.tolist()
    assert [ids.count(number) for number in (asked, answered, entity)] == [1, 1, 2]
    assert sample.weights[sample.input_ids == entity].tolist() == [0, 1]
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") in contract.stop_ids


def test_new_rows_moved_old_ones_did_not_and_all_travel(own: tuple[Path, str]) -> None:
    root, _ = own
    (run,) = runs_of(root, NAME)
    base: Any = load_for_inference(root / "tiny-ko")
    old = base.get_input_embeddings().weight
    tuned, merged = (load_for_inference(run.checkpoints / name, base=root / "tiny-ko") for name in ("final", "merged"))
    assert is_quantized(tuned) and not is_quantized(merged)
    found: Any = tuned.get_input_embeddings()  # type: ignore[operator]
    assert found.weight.shape[0] == 8003 and torch.equal(found.weight[:8000], old)
    tokenizer, _ = open_prompt(run.final)
    pieces = tokenizer("질문", add_special_tokens=False)["input_ids"]
    starts = [old[pieces].mean(0), old.mean(0)]
    assert all((found.weight[8000 + i] - start).abs().max() > 1e-3 for i, start in enumerate(starts)), (
        "they were trained"
    )
    whole: Any = merged
    # tiny-ko is stored in bfloat16, and so is what was merged into it.
    assert torch.equal(whole.get_input_embeddings().weight, found.weight.to(torch.bfloat16).float())
    assert whole.get_input_embeddings().weight is whole.get_output_embeddings().weight, "tied ones stay tied"
    assert read_json(run.checkpoints / "merged" / "config.json")["vocab_size"] == 8003


def test_it_is_asked_as_it_was_trained(own: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`ask`, `eval` and `compare` take the base in 4 bits; so was the base scored. Nothing asks the Hub."""
    root, _ = own

    def unreachable(*args: Any, **more: Any) -> None:
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    loaded: list[bool] = []
    from dadeum.generate import engine

    def watched(*args: Any, **more: Any) -> torch.nn.Module:
        model = load_for_inference(*args, **more)
        loaded.append(is_quantized(model))
        return model

    monkeypatch.setattr(engine, "load_for_inference", watched)
    fine(root, "ask", "1번 <ent>는?", "-m", NAME, "--max-new-tokens", "2")
    (run,) = runs_of(root, NAME)
    manifest = read_manifest(run.final)
    assert manifest is not None and manifest.made_from["model"]["quantization"] == {
        "bits": 4,
        "type": None,
        "double_quantization": None,
    }
    assert loaded == [True]


def test_a_finished_run_is_fresh_and_a_change_is_not(own: tuple[Path, str], tmp_path: Path) -> None:
    root = copy(own[0], tmp_path / "lab")
    assert "▶" not in fine(root, "run", NAME).out
    for override, first in (
        ("model.quantization.type=fp4", "eval base"),
        ("tokenizer.add_special_tokens={<|묻|>: 물음, <|답|>: , <ent>: 이름}", "eval base"),
        ("tokenizer.add_special_tokens=[<|묻|>, <|답|>, <ent>, <b>]", "preprocess"),
    ):
        with inside(root):
            plan = make_plan(open_lab(NAME, [override]))
        assert next(step.name for step in plan.steps if not step.fresh) == first, override


def test_a_quantised_base_is_no_base(own: tuple[Path, str], tmp_path: Path) -> None:
    """A15: weights that are stored rounded are neither trained upon nor merged into."""
    root = copy(own[0], tmp_path / "lab")
    config = read_json(root / "tiny-ko" / "config.json")
    config["quantization_config"] = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (root / "tiny-ko" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for words in (("run", NAME), ("export", "merged", NAME, "-o", "elsewhere")):
        found = cli(root, *words)
        assert found.code == 2 and "found quantised weights, expected 16 or 32 bits" in found.errors[0], found
