"""Small labelled rows for every head, a tiny Llama, and trainings of the one on the other: what `head_grid` and tests run on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from dadeum.config.model import ModelSettings
from dadeum.config.train import TrainSettings
from dadeum.core.artifact import writing
from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.labels import Head, Labels
from dadeum.data.render import Renderer
from dadeum.data.samples import Block, Entry, SampleWriter
from dadeum.model.adapters import ADAPTERS
from dadeum.model.heads import HEADS
from dadeum.model.save import save_model
from dadeum.tokenizer.load import load_tokenizer
from dadeum.train.job import TrainJob

ROWS = 113
LLAMA = {
    "model_type": "llama", "vocab_size": ROWS, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, "bos_token_id": 1,
    "eos_token_id": 2, "tie_word_embeddings": False,
}  # fmt: skip
NAMES = ("나쁨", "보통", "좋음")
LORA: dict[str, Any] = {"type": "lora", "r": 4}
UNKNOWN, UNLABELLED = float("nan"), -100.0


@dataclass(frozen=True)
class Case:
    """A head's settings, its labels, and of how many sequences a unit is (0: of two to four)."""

    settings: dict[str, Any]
    labels: tuple[Head, ...]
    sequences: int = 1


def labelled(name: str, kind: Any, size: int) -> Head:
    """A head's labels in a column of its own."""
    names = NAMES[:size] if kind in ("class", "classes", "words") else None
    return Head(name, kind, "label", names, size)


def one(kind: str, labels: Any, size: int, sequences: int = 1, **settings: Any) -> Case:
    """A case of one head."""
    heads = () if labels is None else (labelled(kind, labels, size),)
    return Case({"type": kind, **settings}, heads, sequences)


CASES = {
    "sequence_classification": one("sequence_classification", "class", 3),
    "multi_label": one("sequence_classification", "classes", 3, problem="multi_label"),
    "mlp": one("sequence_classification", "class", 3, hidden_sizes=[8], pooling="mean", dropout=0.1),
    "regression": one("regression", "numbers", 1),
    "regressions": one("regression", "numbers", 2, loss="huber", pooling="attention"),
    "token_classification": one("token_classification", "words", 3),
    "multiple_choice": one("multiple_choice", "choice", 1, sequences=0),
    "reward": one("reward", None, 1, sequences=2),
    "multi": Case(
        {
            "type": "multi",
            "heads": {
                "감정": {"type": "sequence_classification", "weight": 0.5},
                "score": {"type": "regression", "numbers": 1, "weight": 2.0, "hidden_sizes": [8]},
                "topics": {"type": "sequence_classification", "problem": "multi_label", "pooling": "mean"},
            },
        },
        (labelled("감정", "class", 3), labelled("score", "numbers", 1), labelled("topics", "classes", 2)),
    ),
}


def entries(case: Case, count: int, seed: int = 0) -> list[Entry]:
    """Units of random sequences, whose labels can be read off their last tokens; some labels are unknown."""
    draw = np.random.RandomState(seed)
    made = []
    for row in range(count):
        sequences = case.sequences or int(draw.choice([2, 3, 4]))
        lengths = [int(draw.choice([3, 4, 6, 11, 20])) for _ in range(sequences)]
        ids = draw.randint(10, ROWS - 3, size=sum(lengths)).astype(np.int32)
        ends = np.cumsum(lengths)
        targets = _targets(case, ids, ends, draw)
        made.append(
            Entry(ids, np.ones(len(ids), np.float32), row, 0, np.array(targets, np.float32), tuple(map(int, ends[:-1])))
        )
    return made


def _targets(case: Case, ids: np.ndarray, ends: np.ndarray, draw: np.random.RandomState) -> list[float]:
    kind = case.settings["type"]
    if kind == "token_classification":
        return [float(token % 3) if draw.rand() < 0.7 else UNLABELLED for token in ids]
    if kind == "multiple_choice":
        right = int(draw.randint(len(ends)))
        ids[ends[right] - 1] = 5
        return [float(right)]
    if kind == "reward":
        ids[ends - 1] = [5, 6]
        return []
    key, targets = int(ids[ends[0] - 1]), []
    for head in case.labels:
        said = {
            "class": [float(key % 3)],
            "classes": [float(key >> n & 1) for n in range(head.size)],
            "numbers": [(key + n) / 100 for n in range(head.size)],
        }[head.kind]
        known = len(case.labels) == 1 or draw.rand() < 0.8
        targets += said if known else [UNKNOWN] * len(said)
    return targets


def write_units(path: Path, rows: list[Entry]) -> None:
    """The Arrow file of the data stage."""
    with SampleWriter(path, more=True) as writer:
        for row in rows:
            parts = row.sequences
            rest = [0] * (len(parts) - 1)
            writer.add(
                Block(
                    row.input_ids,
                    row.weights,
                    np.array([len(ids) for ids, _ in parts], np.int32),
                    np.array([row.source_row] * len(parts), np.int64),
                    np.zeros(len(parts), np.int64),
                    row.targets,
                    np.array([len(row.targets), *rest], np.int32),
                    np.array([len(parts), *rest], np.int32),
                )
            )


def make_base(root: Path, **config: Any) -> Path:
    """A tiny Llama whose layers matter, with a tokenizer of words."""
    place = root / "base"
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"w{n}": n for n in range(3, ROWS)}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(**{**LLAMA, **config}), dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.1)
    save_model(model, place)
    tokenizer.save_pretrained(str(place))
    return place


def make_formatted(root: Path, base: Path, case: Case, rows: int = 24) -> Path:
    """The folder of the data stage."""
    tokenizer = load_tokenizer(base, chat_template="chatml")
    with writing(root / "formatted", kind="formatted", fingerprint="f", made_from={}) as aside:
        write_units(aside / "train.arrow", entries(case, rows))
        write_units(aside / "validation.arrow", entries(case, 5, seed=1))
        save_prompt(aside / "prompt", tokenizer, PromptContract.of(Renderer(tokenizer)))
        if case.labels:
            Labels(case.labels, "\n").save(aside / "prompt")
    return root / "formatted"


def head_job(root: Path, base: Path, case: Case, formatted: Path, run: str = "run", **changes: Any) -> TrainJob:
    """A training of that head; `changes` are settings of `train:`, or `adapter`, `quantization`, `packing`."""
    head = HEADS.validate(case.settings)
    adapter, quantization = changes.pop("adapter", LORA), changes.pop("quantization", None)
    packing = changes.pop("packing", True)
    steps = {"max_steps": 4, "total_train_batch_size": 8, "per_device_train_batch_size": 4, "learning_rate": 5e-3}
    values = {**steps, "logging_steps": 1, "warmup_steps": 0, "objective": HEADS.of(head).objective, **changes}
    return TrainJob(
        train=TrainSettings.model_validate(values),
        model=ModelSettings(name_or_path=str(base), quantization=quantization),
        adapter=ADAPTERS.validate(adapter),
        head=head,
        packing=packing,
        max_length=128,
        formatted=formatted,
        model_place=base,
        checkpoints=root / "checkpoints" / run,
        evidence=root / "experiments" / run,
        fingerprint="fingerprint",
    )


def sequences(rows: list[Entry]) -> list[np.ndarray]:
    """The ids of all sequences."""
    return [ids for row in rows for ids, _ in row.sequences]


def padded(rows: list[np.ndarray], pad: int = 0, *, left: bool = False) -> dict[str, torch.Tensor]:
    """Sequences as a rectangle, filled up on one side."""
    width = max(map(len, rows))
    ids_BL, mask_BL = torch.full((len(rows), width), pad), torch.zeros(len(rows), width, dtype=torch.long)
    for row, ids in enumerate(rows):
        place = slice(width - len(ids), width) if left else slice(0, len(ids))
        ids_BL[row, place] = torch.from_numpy(ids.astype(np.int64))
        mask_BL[row, place] = 1
    return {"input_ids": ids_BL, "attention_mask": mask_BL}
