"""Formatted rows with labels for every head, and jobs over them."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dadeum.core.artifact import writing
from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.labels import Head, Labels
from dadeum.data.render import Renderer
from dadeum.data.samples import Block, Entry, SampleWriter
from dadeum.model.heads import HEADS
from dadeum.tokenizer.load import load_tokenizer
from dadeum.train.job import TrainJob
from tests.train.support import make_job, save_tokenizer

NAN = float("nan")
NAMES = ("나쁨", "보통", "좋음")


@dataclass(frozen=True)
class Case:
    """A head's settings, its labels, and of how many sequences a unit is (0: of a number that changes)."""

    settings: dict[str, Any]
    labels: tuple[Head, ...]
    choices: int = 1
    words: bool = False


def head(name: str, kind: Any, size: int) -> Head:
    return Head(name, kind, "label", NAMES[:size] if kind in ("class", "classes", "words") else None, size)


def case(kind: str, labels: Any, size: int, choices: int = 1, **settings: Any) -> Case:
    heads = () if labels is None else (head(kind, labels, size),)
    return Case({"type": kind, **settings}, heads, choices, labels == "words")


CASES = {
    "single_label": case("sequence_classification", "class", 3),
    "multi_label": case("sequence_classification", "classes", 3, problem="multi_label"),
    "mlp": case("sequence_classification", "class", 3, hidden_sizes=[8], pooling="mean", dropout=0.1),
    "regression": case("regression", "numbers", 1),
    "regressions": case("regression", "numbers", 2, loss="huber", pooling="attention"),
    "token_classification": case("token_classification", "words", 3),
    "multiple_choice": case("multiple_choice", "choice", 1, choices=0),
    "reward": case("reward", None, 1, choices=2),
    "multi": Case(
        {
            "type": "multi",
            "heads": {
                "감정": {"type": "sequence_classification", "weight": 0.5},
                "score": {"type": "regression", "numbers": 1, "weight": 2.0, "hidden_sizes": [8]},
                "topics": {"type": "sequence_classification", "problem": "multi_label", "pooling": "mean"},
            },
        },
        (head("감정", "class", 3), head("score", "numbers", 1), head("topics", "classes", 2)),
    ),
}


def entries(case: Case, count: int, seed: int = 0) -> list[Entry]:
    """Units of random sequences, whose labels can be read off their last tokens; some labels are unknown."""
    draw = np.random.RandomState(seed)
    made = []
    for row in range(count):
        sequences = case.choices or int(draw.choice([2, 3, 4]))
        lengths = [int(draw.choice([3, 4, 6, 11, 20])) for _ in range(sequences)]
        ids = draw.randint(10, 250, size=sum(lengths)).astype(np.int32)
        ends = np.cumsum(lengths)
        key = int(ids[ends[0] - 1])
        targets: list[float] = []
        if case.words:
            targets = [float(token % 3) if draw.rand() < 0.7 else -100.0 for token in ids]
        elif case.choices == 0:
            targets = [float(draw.randint(sequences))]
            ids[ends[int(targets[0])] - 1] = 5
        elif case.choices == 2:
            ids[ends - 1] = [5, 6]
        for one in case.labels if case.choices == 1 and not case.words else ():
            known = len(case.labels) == 1 or draw.rand() < 0.8
            said = {
                "class": [float(key % 3)],
                "classes": [float(key >> n & 1) for n in range(one.size)],
                "numbers": [(key + n) / 100 for n in range(one.size)],
            }[one.kind]
            targets += said if known else [NAN] * len(said)
        cuts = tuple(int(end) for end in ends[:-1])
        weights = np.ones(len(ids), np.float32)
        made.append(Entry(ids, weights, row, 0, np.array(targets, np.float32), cuts))
    return made


def write_units(path: Path, rows: list[Entry]) -> None:
    """The Arrow file of the data stage."""
    with SampleWriter(path, more=True) as writer:
        for one in rows:
            parts = one.sequences
            counts = [len(one.targets), *[0] * (len(parts) - 1)]
            writer.add(
                Block(
                    one.input_ids,
                    one.weights,
                    np.array([len(ids) for ids, _ in parts], np.int32),
                    np.array([one.source_row] * len(parts), np.int64),
                    np.zeros(len(parts), np.int64),
                    one.targets,
                    np.array(counts, np.int32),
                    np.array([len(parts), *[0] * (len(parts) - 1)], np.int32),
                )
            )


def make_labelled(root: Path, case: Case, rows: int = 24) -> Path:
    """The folder of the data stage."""
    folder = root / "formatted"
    tokenizer = load_tokenizer(save_tokenizer(root / "tokenizer"), chat_template="chatml")
    with writing(folder, kind="formatted", fingerprint="f", made_from={}) as aside:
        write_units(aside / "train.arrow", entries(case, rows))
        write_units(aside / "validation.arrow", entries(case, 5, seed=1))
        save_prompt(aside / "prompt", tokenizer, PromptContract.of(Renderer(tokenizer)))
        if case.labels:
            Labels(case.labels, "\n").save(aside / "prompt")
    return folder


def head_job(root: Path, case: Case, formatted: Path | None = None, run: str = "run", **changes: Any) -> TrainJob:
    """A training of that head; `changes` as for `make_job`."""
    settings = HEADS.validate(case.settings)
    objective = HEADS.of(settings).objective
    job = make_job(root, formatted or make_labelled(root, case), run, objective=objective, **changes)
    return replace(job, head=settings)


def sequences(rows: list[Entry]) -> list[np.ndarray]:
    """The ids of all sequences."""
    return list(itertools.chain.from_iterable((ids for ids, _ in row.sequences) for row in rows))
