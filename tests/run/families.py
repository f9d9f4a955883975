"""A workspace with a small base of each family of models, and experiments over them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken

from dadeum.core import faults
from dadeum.model.save import save_model
from dadeum.run.store import Run
from dadeum.tokenizer.load import load_tokenizer, shipped_templates
from scripts.template_table import CONTROL
from tests.model.tiny import seeing, tiny
from tests.run.lab import fine, rows, runs_of

# Shape of `tests/model/tiny.py`, the last names of the layers that `all-linear` adapts there, whether its embeddings are tied.
SPLIT = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
TARGETS: dict[str, tuple[set[str], bool]] = {
    "llama": (SPLIT, False),
    "llama3": (SPLIT, True),
    "smollm2": (SPLIT, True),
    "smollm3": (SPLIT, True),
    "qwen2": (SPLIT, False),
    "qwen3": (SPLIT, True),
    "gemma2": (SPLIT, True),
    "gemma3": (SPLIT, True),
    "seeing": (SPLIT, True),  # Gemma 3 4B: with a tower for pictures
    "phi3": ({"qkv_proj", "o_proj", "gate_up_proj", "down_proj"}, False),
    "mistral": (SPLIT, False),
    "gpt2": ({"c_attn", "c_proj", "c_fc"}, True),
    "gpt_neox": ({"query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"}, False),
    "exaone4": (SPLIT, False),
}
# What models are published with: sampling, a penalty, more than one end. None of it may change what is measured.
GENERATION = {"do_sample": True, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "repetition_penalty": 1.1}
YAML = """\
name: {name}
model: {{name_or_path: bases/{base}}}
adapter: {adapter}
data:
  sources: [{{type: csv, path: rows.csv}}]
  split: {{validation: 0.1, test: 0.1}}
  max_length: {length}
  {more}
train: {{max_steps: 4, total_train_batch_size: 4, learning_rate: 0.01, save_steps: 2, logging_steps: 1}}
evaluate: {{metrics: [perplexity], max_new_tokens: 4, limit: 2, few_shot: 0, bootstrap: 100}}
"""
LORA = "{type: lora, r: 4, lora_alpha: 8, lora_dropout: 0.1}"

# Real tokenizer, real chat template (a file, the name of a shipped one, or its text), end of a turn, and what text begins with.
TINYLLAMA = (
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
EXAONE = (  # in its manner: the folder has none of its own
    "{% for m in messages %}[|{{ m.role }}|]\n{{ m.content }}[|endofturn|]\n{% endfor %}"
    "{% if add_generation_prompt %}[|assistant|]\n{% endif %}"
)
REAL: dict[str, tuple[str, str, str, str | None]] = {
    "llama": ("tinyllama-1.1b-chat", TINYLLAMA, "</s>", "<s>"),
    "llama3": ("bora-ko-32k", "trl/llama3_2.jinja", "<|eot_id|>", "<|begin_of_text|>"),
    "smollm2": ("smollm2", "chatml", "<|im_end|>", None),
    "smollm3": ("smollm2", "llamacpp/HuggingFaceTB-SmolLM3-3B.jinja", "<|im_end|>", None),
    "qwen2": ("qwen2.5-0.5b-instruct", "llamacpp/Qwen-Qwen2.5-7B-Instruct.jinja", "<|im_end|>", None),
    "qwen3": ("qwen2.5-0.5b-instruct", "llamacpp/Qwen-Qwen3-0.6B.jinja", "<|im_end|>", None),
    "gemma2": ("bora-ko-32k", "llamacpp/google-gemma-2-2b-it.jinja", "<end_of_turn>", "<bos>"),
    "gemma3": ("bora-ko-32k", "trl/gemma3.jinja", "<end_of_turn>", "<bos>"),
    "phi3": ("tinyllama-1.1b-chat", "trl/phi3.jinja", "<|end|>", "<s>"),
    "mistral": ("tinyllama-1.1b-chat", "llamacpp/mistralai-Mistral-Nemo-Instruct-2407.jinja", "</s>", "<s>"),
    "gpt2": ("gpt2", "plain", "<|endoftext|>", None),
    "gpt_neox": ("bora-ko-32k", "plain", "<|endoftext|>", None),
    "exaone4": ("bora-ko-32k", EXAONE, "[|endofturn|]", "[BOS]"),
}


def published(material: Path, shape: str) -> Any:
    """The family's real tokenizer, or one of its kind, with the family's template and control tokens."""
    name, template, end, begin = REAL[shape]
    place = material / "tokenizers" / name
    if template in shipped_templates():
        tokenizer = load_tokenizer(place, chat_template=template)
    else:
        tokenizer = load_tokenizer(place)
        is_file = template.endswith(".jinja")
        text = (material / "chat_templates" / template).read_text(encoding="utf-8") if is_file else template
        tokenizer.chat_template = text.replace("\r\n", "\n")
    control = dict.fromkeys([*CONTROL.findall(tokenizer.chat_template), end, *([begin] if begin else [])])
    tokenizer.add_tokens([AddedToken(t, special=True, normalized=False) for t in control], special_tokens=True)
    tokenizer.eos_token = end
    if begin:
        tokenizer.bos_token = begin
    return tokenizer


@dataclass(frozen=True)
class Trained:
    """A run that was broken off and gone on with, and what an undisturbed one wrote."""

    root: Path
    base: Path
    run: Run
    undisturbed: Run


class Killed(BaseException):
    """Nothing in dadeum expects it."""


@contextmanager
def killed_at(name: str, count: int) -> Iterator[None]:
    """Break off when the named point is passed for the `count`-th time. `test_killed.py` does it with real signals."""
    passed = []

    def point(here: str) -> None:
        passed.append(here)
        if here == name and passed.count(name) == count:
            raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(faults, "point", point)
        yield


def make_base(folder: Path, shape: str, tokenizer: Any, **changes: Any) -> Path:
    """A base as it is published: weights, tokenizer with template, settings of generation."""
    positions = "n_positions" if shape == "gpt2" else "max_position_embeddings"
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    # Published embeddings have rows that no token belongs to.
    size = {"vocab_size": -(-len(tokenizer) // 64) * 64, positions: 512, **ids}
    save_model(seeing(**size, **changes) if shape == "seeing" else tiny(shape, **{**size, **changes}), folder)
    stored = json.loads((folder / "generation_config.json").read_text("utf-8"))
    (folder / "generation_config.json").write_text(json.dumps({**stored, **GENERATION}), encoding="utf-8")
    tokenizer.save_pretrained(str(folder))
    return folder


def write_experiment(root: Path, name: str, base: str, adapter: str = LORA, length: int = 128, more: str = "") -> None:
    """The experiment's file."""
    (root / "configs").mkdir(exist_ok=True)
    text = YAML.format(name=name, base=base, adapter=adapter, length=length, more=more)
    (root / "configs" / f"{name}.yaml").write_text(text, encoding="utf-8")


def train_twice(root: Path, name: str, base: str) -> Trained:
    """`dadeum run`, broken off in the third step, run again; and `dadeum train` undisturbed, in a run of its own."""
    with killed_at("train.step", 3):
        fine(root, "run", name)
    fine(root, "run", name)
    fine(root, "train", name, "--resume-mode", "never")
    first, second = runs_of(root, name)
    return Trained(root, root / "bases" / base, first, second)


def make_root(root: Path, count: int = 30) -> Path:
    """A workspace with rows."""
    root.mkdir(parents=True)
    (root / "rows.csv").write_text(rows(count), encoding="utf-8")
    return root
