"""Takes one optimizer step apart: prepares the run's own loop, lets it run up to that step, and reads what was seen."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dadeum.core.errors import TrainError
from dadeum.core.language import say
from dadeum.core.progress import Reporter, Silent
from dadeum.explain.adamw import update_of
from dadeum.explain.facts import Clipping, LayerNorm, Memory, Rates, Taken
from dadeum.explain.loss import labels_of, loss_facts, tokens_of
from dadeum.explain.low_rank import low_rank_of, without_matrices
from dadeum.explain.places import places
from dadeum.explain.recording import Ends, Laid, Recorded, first_step_with, source_rows
from dadeum.explain.trainer import same_step
from dadeum.train.hooks import HOOKS, Hook
from dadeum.train.job import TrainJob
from dadeum.train.processes import Processes
from dadeum.train.step import events, prepare, run_loop
from dadeum.train.weights import PROMPT, trained_parameters

if TYPE_CHECKING:
    from dadeum.train.loop import Loop

POINTS = 200  # of the curve of rates
LAYER = re.compile(r"^(.*?\.\d+)\.")


class _Quiet(Silent):
    """Warnings are passed on."""

    def __init__(self, reporter: Reporter) -> None:
        self.warn = reporter.warn  # type: ignore[method-assign]


def take_apart(
    job: TrainJob, reporter: Reporter, *, row: int | None = None, step: int | None = None, trainer: bool = True
) -> Taken:
    """One step of this job, its numbers read. Nothing is written into the workspace.

    `step` counts from 1; left out, it is the first whose learning rate is not 0. `row` is a number of the source; its batch
    takes the place of that step's, where no step is named. Raises TrainError for a step or a row that the run does not have.
    """
    from dadeum.data.contract import open_prompt

    with tempfile.TemporaryDirectory() as place:
        trial = replace(job, checkpoints=Path(place), evidence=Path(place), resume="auto")
        hooks: dict[str, Hook] = {"ends": Ends(patient=step is None)}
        for name in ("guard", "signals"):
            module = HOOKS.member(name)
            hooks[name] = module.build(module.Settings(type=name), trial, reporter)
        with events(hooks, main=True):
            prepared = prepare(trial, _Quiet(reporter), Processes(), hooks)
            at = _at(prepared, step)
            loop = Recorded.of(prepared, at)
            moved = _lay(loop, row, named=step is not None)
            run_loop(loop)
    if loop.seen.report is None or loop.seen.chosen is None:
        raise TrainError(
            say(
                f"step {at + 1}: no weight was moved (a number was not finite); there is nothing to take apart, try another --step",
                f"{at + 1}단계: 유한하지 않은 수가 있어 가중치가 움직이지 않았습니다. 다른 --step을 써 보세요",
            )
        )
    tokenizer, _ = open_prompt(job.formatted / PROMPT)
    return _read(loop, tokenizer, row, moved, named=step is not None, trainer=trainer)


def _at(loop: "Loop", step: int | None) -> int:
    """The step's number, counted from 0."""
    steps = loop.schedule.steps
    if step is None:
        return next((at for at in range(steps) if loop.learning_rate(at) > 0), 0)
    if not 1 <= step <= steps:
        raise TrainError(
            say(
                f"--step: found {step}, expected a number from 1 to {steps}, the steps of this run",
                f"--step: {step}단계는 없습니다. 이 실행의 1부터 {steps}까지 가운데 쓰세요",
            )
        )
    return step - 1


def _lay(loop: Recorded, row: int | None, *, named: bool) -> int | None:
    """See to it that the row is in the step; the step that its batch was taken from, where it is another (counted from 0)."""
    if row is None:
        return None
    samples = np.flatnonzero(np.asarray(loop.samples.source_rows) == row)
    if set(samples.tolist()) & set(loop.order.of_step(loop.at).tolist()):
        return None
    first = first_step_with(loop.order, samples)
    if named:
        raise TrainError(
            say(
                f"--row: row {row} is not in step {loop.at + 1}; it is first seen in step {first + 1}",
                f"--row: {row}번 행은 {loop.at + 1}단계에 없습니다. 처음 나오는 것은 {first + 1}단계입니다",
            )
        )
    loop.order = Laid(loop.order, loop.at, first)
    return first


def _read(loop: Recorded, tokenizer: Any, row: int | None, moved: int | None, *, named: bool, trainer: bool) -> Taken:
    """Everything that was seen, as facts; the Trainer's step comes last, for it moves the weights again."""
    from dadeum.model.few_bits import held_bytes, size_of

    seen, report = loop.seen, loop.seen.report
    assert report is not None and seen.chosen is not None
    loss = loss_facts(loop)
    numbers = source_rows(loop, seen.passes)
    shown = row if row is not None else _shortest(loop, numbers)
    sample, tokens = tokens_of(loop, tokenizer, shown)
    parameters = list(loop.module.parameters())
    trainable = sum(p.numel() for _, p in trained_parameters(loop.module))
    facts: dict[str, Any] = {
        "weights": held_bytes(loop.module),
        "trained": sum(p.nbytes for _, p in trained_parameters(loop.module)),
        "gradients": seen.gradient_bytes,
        "optimizer": seen.optimizer_bytes,
    }
    memory = Memory(
        loop.meter.how, loop.meter.told(), **facts, kept=seen.kept.bytes, kept_tensors=len(seen.kept.storages)
    )
    after = {name: p.detach().cpu().clone() for name, p in trained_parameters(loop.module)}
    sha = loop.weights_sha256
    watched = seen.watched
    settings = loop.job.train
    update, low_rank = update_of(seen.chosen, loop.optimizer), low_rank_of(watched) if watched is not None else None
    theirs = same_step(loop, after) if trainer else same_step_left_out()
    return Taken(
        experiment=str(loop.job.experiment.get("name", "")),
        model=loop.job.model.name_or_path or "",
        adapter=loop.job.adapter.type,
        step=loop.at + 1,
        steps=loop.run_steps,
        epoch=report.epoch,
        rows=numbers,
        shown=shown,
        shown_sample=sample,
        moved_from=None if moved is None else moved + 1,
        skipped=0 if named else loop.at,
        device=loop.device_name,
        precision=loop.arithmetic.precision,
        per_device=loop.per_device,
        trainable=trainable,
        parameters=sum(map(size_of, parameters)),
        tokens=tokens,
        labels=labels_of(loop, shown),
        loss=loss,
        clipping=_clipping(loop),
        low_rank=low_rank,
        no_low_rank="" if low_rank is not None else without_matrices(loop.job.adapter.type),
        rates=_rates(loop),
        update=update,
        memory=memory,
        weights_sha256=sha,
        seconds=report.seconds,
        trainer=theirs,
        places=places(settings.objective.type, settings.optim.type),
    )


def same_step_left_out() -> Any:
    """Where the Trainer was not asked for."""
    from dadeum.core.fingerprint import version
    from dadeum.explain.facts import SameStep

    return SameStep(
        version("transformers"), why=say("not asked for (--no-trainer)", "요청하지 않았습니다(--no-trainer)")
    )


def _shortest(loop: Recorded, numbers: Sequence[int]) -> int:
    """Of the step's rows the one with the fewest tokens: the easiest to read."""
    rows = [int(i) for one in loop.seen.passes for i in one.batch.rows]
    return min(zip(rows, numbers, strict=True), key=lambda pair: int(loop.samples.lengths[pair[0]]))[1]


def _clipping(loop: Recorded) -> Clipping:
    """Norms by layer, in the order of the model."""
    assert loop.seen.report is not None
    known = dict(loop.module.named_parameters())
    squares: dict[str, float] = {}
    sizes: dict[str, int] = {}
    for name, norm in loop.seen.norms.items():
        layer = layer_of(name)
        squares[layer] = squares.get(layer, 0.0) + norm * norm
        sizes[layer] = sizes.get(layer, 0) + known[name].numel()
    layers = [LayerNorm(layer, sizes[layer], squares[layer] ** 0.5) for layer in squares]
    exact = sum(squares.values()) ** 0.5
    return Clipping(loop.job.train.max_grad_norm, loop.seen.report.grad_norm, exact, loop.seen.norm_after, layers)


def layer_of(parameter: str) -> str:
    """`…layers.3.self_attn.q_proj.weight` is of `layers.3`; what stands in no numbered layer is of its own module."""
    found = LAYER.match(parameter)
    parts = (found[1] if found else parameter).split(".")
    if found:
        return ".".join(parts[-2:])
    drop = {"base_model", "model", "module", "weight", "bias", "default", "original_module", "modules_to_save"}
    kept = [part for part in parts if part not in drop]
    return kept[-1] if kept and not kept[-1].startswith("lora_") else kept[-2] if len(kept) > 1 else parameter


def _rates(loop: Recorded) -> Rates:
    steps = loop.run_steps
    asked = range(steps) if steps <= POINTS else sorted({round(i * (steps - 1) / (POINTS - 1)) for i in range(POINTS)})
    curve = [(at + 1, loop.learning_rate(at)) for at in asked]
    assert loop.seen.report is not None
    return Rates(
        loop.seen.report.learning_rate,
        max(rate for _, rate in curve),
        loop.job.train.lr_scheduler_type,
        loop.schedule.warmup_steps,
        steps,
        curve,
    )
