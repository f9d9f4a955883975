"""Can this model learn these rows at all? Eight of them by heart, in seconds, with the run's own loop.

Near zero loss and answers that end by themselves show that rendering, masking, model, adapter and optimizer work
together. Nothing is written into the run.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from dadeum.core.errors import TrainError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.model.headed import headed_of
from dadeum.train.hooks import HOOKS, Hook
from dadeum.train.job import TrainJob
from dadeum.train.objectives import OBJECTIVES
from dadeum.train.processes import Processes
from dadeum.train.step import events, prepare, run_loop

if TYPE_CHECKING:
    from dadeum.train.loop import Loop, StepReport

ROWS = 8
STEPS = 400
NEAR_ZERO = 0.05
ENOUGH = 0.02
SPARE_TOKENS = 8
# Few rows by heart want a greater rate than many; a low-rank adapter a still greater one.
RATES = {"full": 1e-3}
ADAPTER_RATE = 5e-3


class Answers(NamedTuple):
    """How many rows ended by themselves, and word for word."""

    stopped: int
    exact: int


@dataclass(frozen=True)
class Smoke:
    """What came of it: losses of the first and the last step, and the answers; None of a model with a head, which gives none."""

    rows: int
    steps: int
    first_loss: float
    final_loss: float
    answers: Answers | None
    seconds: float

    @property
    def passed(self) -> bool:
        """Loss near zero, and each answer ends."""
        return self.final_loss < NEAR_ZERO and (self.answers is None or self.answers.stopped == self.rows)


class _Shortest:
    """The shortest rows that have a prompt and an answer: a few are enough, and quick."""

    def __init__(self, samples: Any, count: int) -> None:
        self.samples = samples
        self.chosen = np.argsort(np.asarray(samples.lengths), kind="stable")[:count]
        self.lengths: NDArray[Any] = np.asarray(samples.lengths)[self.chosen]
        self.source_rows: NDArray[Any] = np.asarray(samples.source_rows)[self.chosen]
        self.shortest, self.longest, self.several = samples.shortest, samples.longest, samples.several

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> Any:
        return self.samples[int(self.chosen[index])]


class _Enough(Hook):
    """Shortens the schedule once the rows are known by heart."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_step(self, loop: "Loop", report: "StepReport") -> None:
        self.losses.append(report.loss)
        if report.loss < ENOUGH:
            loop.schedule = replace(loop.schedule, steps=loop.step)


def smoke(job: TrainJob, reporter: Reporter) -> Smoke:
    """Learn up to eight rows by heart, and let the model say them. Raises what `train` would.

    Raises TrainError where answers are judged: such rows are not what the model is to say.
    """
    if OBJECTIVES.of(job.train.objective).takes in ("pair", "rated"):
        name = job.train.objective.type
        raise TrainError(
            say(
                f"the smoke test lets a model say its rows by heart, and train.objective={name} only compares answers; use "
                "train.objective=sft with data.preference=chosen for it",
                f"스모크 테스트는 행을 외워 말하게 하는데 train.objective={name}은(는) 답을 비교할 뿐입니다. "
                "train.objective=sft와 data.preference=chosen으로 하세요",
            )
        )
    rate = RATES.get(job.adapter.type, ADAPTER_RATE)
    settings = job.train.model_copy(
        update={
            "max_steps": STEPS,
            "total_train_batch_size": ROWS,
            "per_device_train_batch_size": "auto",
            "learning_rate": rate,
            "lr_scheduler_type": "constant_with_warmup",
            "lr_scheduler_kwargs": {},
            "warmup_steps": 5.0,
        }
    )
    with tempfile.TemporaryDirectory() as place:
        nowhere = Path(place)
        trial = replace(job, train=settings, checkpoints=nowhere, evidence=nowhere, resume="auto")
        enough = _Enough()
        hooks: dict[str, Hook] = {"enough": enough}
        for name in ("guard", "progress", "signals"):
            module = HOOKS.member(name)
            hooks[name] = module.build(module.Settings(type=name), trial, reporter)
        with events(hooks, main=True):
            loop = prepare(trial, reporter, Processes(), hooks, choose=lambda samples: _Shortest(samples, ROWS))
            run_loop(loop)
            answers = _say_them(loop) if headed_of(loop.module) is None else None
    return Smoke(len(loop.samples), loop.step, enough.losses[0], enough.losses[-1], answers, loop.seconds)


def _say_them(loop: "Loop") -> Answers:
    """Of the rows, greedily continued from their prompts: how many end with a stop token, how many are as trained."""
    loop.module.eval()
    stopped = exact = 0
    for prompt, answer in _prompts(loop):
        ids = torch.tensor([prompt], device=loop.processes.device)
        with torch.no_grad(), loop.arithmetic.autocast():
            made = loop.module.generate(  # type: ignore[operator]
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=len(answer) + SPARE_TOKENS,
                eos_token_id=list(loop.stop_ids),
                pad_token_id=loop.pad_id,
            )[0, len(prompt) :].tolist()
        stopped += bool(made) and made[-1] in loop.stop_ids
        exact += made == answer[: len(made)] and len(made) > 0
    return Answers(stopped, exact)


def _prompts(loop: "Loop") -> Iterator[tuple[list[int], list[int]]]:
    """Each row cut before its last trained stretch."""
    for index in range(len(loop.samples)):
        ids, weights = loop.samples[index][:2]
        trained = np.asarray(weights) > 0
        trained[0] = False
        end = len(trained) - int(np.argmax(trained[::-1]))
        before = np.flatnonzero(~trained[:end])
        start = int(before[-1]) + 1
        yield np.asarray(ids)[:start].tolist(), np.asarray(ids)[start:end].tolist()
