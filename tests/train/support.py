"""A small training: a byte-level tokenizer, a tiny Llama, formatted rows, and jobs over them."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from dadeum.config.model import ModelSettings
from dadeum.config.train import TrainSettings
from dadeum.core.artifact import writing
from dadeum.core.progress import Silent
from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.render import Renderer
from dadeum.data.samples import Entry
from dadeum.model.adapters import ADAPTERS
from dadeum.tokenizer.load import load_tokenizer
from dadeum.train.job import METRICS, TrainJob
from tests.data.small import write_samples

# The thread count is a condition of a run; children have one thread too.
torch.set_num_threads(1)
TEXTS = ["안녕하세요 반갑습니다", "오늘 날씨가 좋네요", "the quick brown fox", "무엇을 도와드릴까요?"]
LLAMA = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "attention_dropout": 0.0,
    "tie_word_embeddings": False,
}


def save_tokenizer(folder: Path, pad: str = "<|endoftext|>") -> Path:
    """A byte-level BPE with ChatML tokens."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(TEXTS * 20, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>", pad_token=pad)
    tokenizer.save_pretrained(str(folder))
    return folder


Row = tuple[list[int], list[float]]


def random_rows(count: int, seed: int = 0, longest: int = 60) -> list[Row]:
    """Ids at random with very unequal lengths and numbers of trained tokens."""
    draw = np.random.RandomState(seed)
    rows = []
    for index in range(count):
        length = longest if index % 7 == 3 else int(draw.choice([4, 5, 7, 12, 25]))
        trained = int(draw.randint(1, length)) if index % 3 else 1
        ids = draw.randint(3, 250, size=length).tolist()
        rows.append((ids, [0.0] * (length - trained) + [1.0] * trained))
    return rows


def chat_rows(tokenizer: Any, pairs: list[tuple[str, str]]) -> list[Row]:
    """Questions and answers as the renderer renders them."""
    renderer = Renderer(tokenizer)
    rows = []
    for question, answer in pairs:
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        sample = renderer.samples(messages, "assistant")[0]
        rows.append((sample.input_ids.tolist(), sample.weights.tolist()))
    return rows


def write_part(path: Path, rows: list[Row]) -> None:
    """One part, as the data stage lays it down; source rows count from 100."""
    write_samples(
        path,
        (
            Entry(np.array(ids, np.int32), np.array(weights, np.float32), 100 + index, int(sum(weights)))
            for index, (ids, weights) in enumerate(rows)
        ),
    )


def make_formatted(
    root: Path, rows: list[Row] | None = None, validation: list[Row] | None = None, pad: str = "<|endoftext|>"
) -> Path:
    """The folder of the data stage."""
    folder = root / "formatted"
    tokenizer = load_tokenizer(save_tokenizer(root / "tokenizer", pad), chat_template="chatml")
    with writing(folder, kind="formatted", fingerprint="f", made_from={}) as aside:
        write_part(aside / "train.arrow", random_rows(22) if rows is None else rows)
        write_part(aside / "validation.arrow", random_rows(5, seed=1) if validation is None else validation)
        save_prompt(aside / "prompt", tokenizer, PromptContract.of(Renderer(tokenizer)))
    return folder


def make_job(root: Path, formatted: Path | None = None, run: str = "run", **changes: Any) -> TrainJob:
    """A job under `root`; `changes` are settings of `train:`, or `config`, `adapter`, and fields of the job."""
    fields = {k: changes.pop(k) for k in ("packing", "resume", "fingerprint", "model_place", "head") if k in changes}
    config = {**LLAMA, **changes.pop("config", {})}
    adapter = changes.pop("adapter", "full")
    train = {
        "max_steps": 4,
        "total_train_batch_size": 8,
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-3,
        "logging_steps": 1,
        "warmup_steps": 0,
        **changes,
    }
    job = TrainJob(
        train=TrainSettings.model_validate(train),
        model=ModelSettings(init="random", config=config),
        adapter=ADAPTERS.settings(adapter if isinstance(adapter, str) else adapter["type"]).model_validate(
            {"type": adapter} if isinstance(adapter, str) else adapter
        ),
        packing=True,
        max_length=128,
        formatted=formatted or make_formatted(root),
        model_place=None,
        checkpoints=root / "checkpoints" / run,
        evidence=root / "experiments" / run,
        fingerprint="fingerprint",
    )
    return replace(job, **fields)


class Told(Silent):
    """A reporter that keeps what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.facts: list[tuple[float, dict[str, object]]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def advance(self, done: float, **facts: object) -> None:
        self.facts.append((done, facts))


def metrics(job: TrainJob) -> list[dict[str, Any]]:
    """Lines of `metrics.jsonl`."""
    text = (job.evidence / METRICS).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def trained(job: TrainJob, *names: str) -> list[tuple[Any, ...]]:
    """These columns of the training lines, step by step."""
    return [tuple(line[n] for n in ("step", *names)) for line in metrics(job) if "loss" in line]


def closeness(ours: list[float], theirs: list[float]) -> tuple[float, float]:
    """Greatest relative difference, and mean signed relative difference."""
    differences = [(a - b) / max(abs(b), 1e-12) for a, b in zip(ours, theirs, strict=True)]
    return max(map(abs, differences)), abs(math.fsum(differences) / len(differences))


def tensors(folder: Path, name: str = "model.safetensors") -> dict[str, torch.Tensor]:
    """The tensors of one file."""
    from safetensors.torch import load_file

    return load_file(folder / name)
