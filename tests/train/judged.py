"""Pairs and rated answers at random, as the data stage lays them down."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dadeum.core.artifact import writing
from dadeum.core.progress import Silent
from dadeum.data.contract import PromptContract, save_prompt
from dadeum.data.render import Renderer
from dadeum.data.samples import Entry
from dadeum.model.heads import HEADS
from dadeum.tokenizer.load import load_tokenizer
from dadeum.train.loop import Loop
from dadeum.train.processes import Processes
from dadeum.train.step import prepare
from tests.data.small import write_units
from tests.train.support import make_job, save_tokenizer

Ids = list[int]


def unit(parts: Sequence[tuple[Ids, Ids]], row: int, targets: Sequence[float] = ()) -> Entry:
    """A unit of these prompts and answers."""
    sequences = [prompt + answer for prompt, answer in parts]
    weights = [[0.0] * len(prompt) + [1.0] * len(answer) for prompt, answer in parts]
    cuts = tuple(int(n) for n in np.cumsum([len(ids) for ids in sequences])[:-1])
    return Entry(
        np.concatenate(sequences).astype(np.int32),
        np.concatenate(weights).astype(np.float32),
        row,
        10,
        np.array(targets, np.float32),
        cuts,
    )


def pairs(count: int, seed: int = 0) -> list[tuple[Ids, Ids, Ids]]:
    """Prompts with a better and a worse answer, of very unequal lengths."""
    draw = np.random.RandomState(seed)

    def ids(lengths: Sequence[int]) -> Ids:
        return [int(i) for i in draw.randint(3, 250, size=int(draw.choice(lengths)))]

    return [(ids((2, 5, 20)), ids((1, 3, 9, 25)), ids((1, 4, 8, 30))) for _ in range(count)]


def pair_units(count: int, seed: int = 0) -> list[Entry]:
    """The same as units."""
    return [unit([(q, good), (q, bad)], 100 + i) for i, (q, good, bad) in enumerate(pairs(count, seed))]


def rated_units(count: int, seed: int = 0, alone: int | None = 2) -> list[Entry]:
    """Answers, two of three good, each beside that of the row before; the one `alone` has none."""
    rows = pairs(count, seed)
    found = []
    for i, (question, answer, _) in enumerate(rows):
        parts = [(question, answer), (question, rows[i - 1][1])]
        found.append(unit(parts[: 1 if i == alone else 2], 100 + i, [float(i % 3 > 0)]))
    return found


def make_judged(root: Path, units: list[Entry], validation: list[Entry]) -> Path:
    """The folder of the data stage."""
    folder = root / "formatted"
    tokenizer = load_tokenizer(save_tokenizer(root / "tokenizer"), chat_template="chatml")
    with writing(folder, kind="formatted", fingerprint="f", made_from={}) as aside:
        write_units(aside / "train.arrow", units)
        write_units(aside / "validation.arrow", validation)
        save_prompt(aside / "prompt", tokenizer, PromptContract.of(Renderer(tokenizer)))
    return folder


def opened(root: Path, formatted: Path, objective: Any, *, move: bool = True, **changes: Any) -> Loop:
    """A loop at its start, whose model has then moved away from the reference. A model of rewards has its head."""
    job = make_job(root, formatted, objective=objective, max_grad_norm=0, **changes)
    if job.train.objective.type == "reward":
        job = dataclasses.replace(job, head=HEADS.validate("reward"))
    loop = prepare(job, Silent(), Processes(), {})
    if move:
        moved(loop)
    return loop


def moved(loop: Loop, size: float = 0.05) -> None:
    """Change each trained weight at random, always alike."""
    draw = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in loop.module.parameters():
            if parameter.requires_grad:
                parameter += size * torch.randn(parameter.shape, generator=draw)


def step_of(loop: Loop) -> tuple[float, dict[str, torch.Tensor], dict[str, float]]:
    """Loss, gradients and metrics of the next step; the weights stay."""
    kept: dict[str, torch.Tensor] = {}

    def keep(*_: Any) -> bool:
        for name, parameter in loop.module.named_parameters():
            if parameter.grad is not None:
                kept[name] = parameter.grad.detach().clone()
        return False

    loop.arithmetic.step = keep  # type: ignore[method-assign]
    report = loop._optimizer_step()
    return report.loss, kept, report.metrics


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Greatest difference of gradients, relative to the greatest of them."""
    assert one.keys() == other.keys() and one
    greatest = max(float(g.abs().max()) for g in other.values())
    return max(float((one[name] - other[name]).abs().max()) for name in one) / greatest
