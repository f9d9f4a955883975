"""A small tokenizer with a chat template, and the data stages in one call."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from dadeum.config.data import DataSettings
from dadeum.config.purpose import SFT, Purpose
from dadeum.core.artifact import read_json
from dadeum.core.fingerprint import fingerprint
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.data import step
from dadeum.data.samples import Block, Entry, SampleWriter

CORPUS = [
    "안녕하세요 무엇을 도와드릴까요? 질문과 답변입니다.",
    "the quick brown fox answers a question",
    "0123456789 null NA nan",
]
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_tokenizer(folder: Path, template: str | None = TEMPLATE) -> Path:
    """A byte-level BPE of about 350 tokens with ChatML's special tokens, saved as a model's folder."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=350,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(CORPUS, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = template
    tokenizer.save_pretrained(str(folder))
    return folder


class Data:
    """A workspace with a tokenizer; `run` walks both stages."""

    def __init__(self, root: Path, template: str | None = TEMPLATE) -> None:
        self.root = root
        self.workspace = Workspace(root)
        self.tokenizer = make_tokenizer(root / "tokenizer", template)

    def write(self, name: str, data: str | bytes) -> str:
        path = self.root / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return name

    def settings(self, *sources: Any, **keys: Any) -> DataSettings:
        return DataSettings.model_validate({"sources": list(sources), **keys})

    def preprocess(self, data: DataSettings, purpose: Purpose = SFT, reporter: Any = None) -> Path:
        print_ = fingerprint(data, step.inputs(data, self.workspace), purpose)
        return step.preprocess(
            data,
            tokenizer_place=self.tokenizer,
            chat_template=None,
            purpose=purpose,
            workspace=self.workspace,
            fingerprint=print_,
            reporter=reporter or Silent(),
        )

    def format(self, data: DataSettings, purpose: Purpose = SFT, reporter: Any = None) -> Path:
        preprocessed = self.preprocess(data, purpose)
        return step.format_(
            data,
            preprocessed=preprocessed,
            tokenizer_place=self.tokenizer,
            chat_template=None,
            purpose=purpose,
            workspace=self.workspace,
            fingerprint=fingerprint(data, preprocessed.name, purpose),
            reporter=reporter or Silent(),
        )

    def rows(self, data: DataSettings, purpose: Purpose = SFT) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = read_json(self.preprocess(data, purpose) / step.CONVERSATIONS)
        return found

    def report(self, data: DataSettings, purpose: Purpose = SFT) -> dict[str, Any]:
        found: dict[str, Any] = read_json(self.preprocess(data, purpose) / step.REPORT)
        return found


def csv(rows: int, start: int = 0) -> str:
    """Question and answer, all different."""
    return "question,answer\n" + "".join(f"질문 {n}번?,답 {n}입니다\n" for n in range(start, start + rows))


def write_units(path: Path, entries: Iterable[Entry]) -> None:
    """An Arrow file of units with targets."""
    some = list(entries)
    with SampleWriter(path, more=True) as writer:
        for entry in some:
            sequences = entry.sequences
            count = len(sequences)
            writer.add(
                Block(
                    entry.input_ids.astype(np.int32),
                    entry.weights.astype(np.float32),
                    np.array([len(ids) for ids, _ in sequences], np.int32),
                    np.full(count, entry.source_row, np.int64),
                    np.array([entry.answer_bytes, *[0] * (count - 1)], np.int64),
                    entry.targets.astype(np.float32),
                    np.array([len(entry.targets), *[0] * (count - 1)], np.int32),
                    np.array([count, *[0] * (count - 1)], np.int32),
                )
            )


def write_samples(path: Path, entries: Iterable[Entry]) -> int:
    """An Arrow file of these samples, added some at a time; how many they are."""
    waiting, count = iter(entries), 0
    with SampleWriter(path) as writer:
        while some := list(itertools.islice(waiting, 7)):
            writer.add(
                Block(
                    np.concatenate([e.input_ids for e in some]).astype(np.int32),
                    np.concatenate([e.weights for e in some]).astype(np.float32),
                    np.array([len(e.input_ids) for e in some], np.int32),
                    np.array([e.source_row for e in some], np.int64),
                    np.array([e.answer_bytes for e in some], np.int64),
                )
            )
            count += len(some)
    return count
