"""The real loop with somebody watching: what it computes and draws is what it would without.

The watched step is the loop's own. Each of its parts is called as ever; before and after it, what it works on is looked at
and what is wanted of it is copied. Nothing is drawn at random, no weight and no gradient is touched.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dadeum.explain.adamw import Chosen, choose
from dadeum.explain.low_rank import Watched, watch
from dadeum.explain.memory import Kept, Meter
from dadeum.explain.said import Caught, catching
from dadeum.train import rng
from dadeum.train.hooks import Hook
from dadeum.train.loop import Loop, MicroBatch, StepReport
from dadeum.train.order import Order
from dadeum.train.weights import trained_parameters


@dataclass
class Passed:
    """One micro-batch: what went through, what the model said, what the objective made of it."""

    batch: MicroBatch
    sums: dict[str, float]
    caught: Caught


@dataclass
class Seen:
    """What was seen of the step."""

    passes: list[Passed] = field(default_factory=list)
    random: dict[str, Tensor] = field(default_factory=dict)  # states before the first forward pass
    norms: dict[str, float] = field(default_factory=dict)  # of each gradient, before clipping
    norm_after: float = math.nan
    gradient_bytes: int = 0
    optimizer_bytes: int = 0
    penalty: float = 0.0
    weights: dict[str, Tensor] = field(default_factory=dict)  # before the optimizer's step, on the CPU
    moments: dict[str, dict[str, Any]] = field(default_factory=dict)
    chosen: Chosen | None = None
    watched: Watched | None = None
    kept: Kept = field(default_factory=Kept)
    report: StepReport | None = None


@dataclass
class Recorded(Loop):
    """The loop, with step number `at` (counted from 0) watched."""

    at: int = 0
    seen: Seen = field(default_factory=Seen)
    meter: Meter = field(default_factory=Meter)
    run_steps: int = 0  # of the whole run, which ends early here

    @classmethod
    def of(cls, loop: Loop, at: int) -> "Recorded":
        """The same parts, watched."""
        return cls(**{one.name: getattr(loop, one.name) for one in fields(Loop)}, at=at, run_steps=loop.schedule.steps)

    @property
    def watching(self) -> bool:
        """Whether the step that is being done is the one."""
        return self.step == self.at

    def _optimizer_step(self) -> StepReport:
        if not self.watching:
            return super()._optimizer_step()
        self.seen = Seen(random=rng.capture())
        self.meter = Meter(self.processes.device)
        self.meter.mark("start")
        hooks = [
            self.optimizer.register_step_pre_hook(self._before_update),
            self.optimizer.register_step_post_hook(self._after_update),
        ]
        try:
            return super()._optimizer_step()
        finally:
            for hook in hooks:
                hook.remove()

    def compute(self, model: nn.Module, batch: MicroBatch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """As ever; what the model said on the way is read before the backward pass writes over it."""
        if not self.watching:
            return super().compute(model, batch)
        kept = Kept.without(self.module)
        with catching(self.module) as outputs, kept.counting():
            found = super().compute(model, batch)
        self.seen.kept = max(self.seen.kept, kept, key=lambda one: one.bytes)
        self.meter.mark("forward")
        sums = {name: float(value.detach()) for name, value in found[0].items()}
        self.seen.passes.append(Passed(batch, sums, Caught.of(self.module, self._moved(batch), outputs)))
        return found

    def _forward_backward(
        self, batch: MicroBatch, factors: dict[str, float]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        found = super()._forward_backward(batch, factors)
        if self.watching:
            self.meter.mark("backward")
        return found

    def _penalise(self) -> float:
        found = super()._penalise()
        if self.watching:
            self.seen.penalty = found
        return found

    def _clip(self) -> float:
        if not self.watching:
            return super()._clip()
        trained = [(name, p.grad) for name, p in trained_parameters(self.module) if p.grad is not None]
        self.seen.norms = {name: float(torch.linalg.vector_norm(grad, dtype=torch.float64)) for name, grad in trained}
        self.seen.gradient_bytes = sum(grad.nbytes for _, grad in trained)
        norm = super()._clip()
        after = [float(torch.linalg.vector_norm(grad, dtype=torch.float64)) for _, grad in trained]
        self.seen.norm_after = math.hypot(*after)
        return norm

    def _before_update(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Gradients are clipped, weights are still the old ones."""
        seen = self.seen
        with torch.no_grad():
            for name, parameter in trained_parameters(self.module):
                seen.weights[name] = parameter.detach().cpu().clone()
                state = optimizer.state.get(parameter, {})
                seen.moments[name] = {
                    k: v.detach().cpu().clone() if isinstance(v, Tensor) else v for k, v in state.items()
                }
            seen.chosen = choose(self.module, optimizer)
            seen.watched = watch(self.module, seen.chosen.name)
        self.meter.mine = sum(t.nbytes for t in seen.weights.values()) + sum(
            v.nbytes for state in seen.moments.values() for v in state.values() if isinstance(v, Tensor)
        )

    def _after_update(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """The weights are the new ones."""
        seen = self.seen
        assert seen.chosen is not None
        self.meter.mark("update")
        with torch.no_grad():
            seen.chosen.look_again(self.module, optimizer)
            if seen.watched is not None:
                seen.watched.look_again()
        states = optimizer.state.values()
        seen.optimizer_bytes = sum(v.nbytes for state in states for v in state.values() if isinstance(v, Tensor))


class Ends(Hook):
    """Ends the run after the watched step; where fp16 left it out and `patient`, after the next that is done."""

    def __init__(self, *, patient: bool) -> None:
        self.patient = patient

    def on_step(self, loop: Any, report: StepReport) -> None:
        """Shortens nothing but this run: the learning rates were settled before."""
        if not isinstance(loop, Recorded) or report.step - 1 != loop.at:
            return
        if report.overflow and self.patient and loop.step < loop.schedule.steps:
            loop.at += 1
            return
        loop.seen.report = report
        loop.schedule = replace(loop.schedule, steps=loop.step)


class Laid(Order):
    """The order of a run, but for one step that sees the rows of another one."""

    def __init__(self, order: Order, at: int, instead: int) -> None:
        super().__init__(order.rows, order.total, order.seed)
        self.at, self.instead = at, instead

    def of_step(self, step: int) -> NDArray[np.int64]:
        """Row numbers of the step."""
        return super().of_step(self.instead if step == self.at else step)


def first_step_with(order: Order, samples: NDArray[np.int64]) -> int:
    """The first step, counted from 0, that sees one of these samples."""
    wanted: set[int] = set(samples.tolist())
    for step in range(order.steps_per_epoch):
        if wanted & set(order.of_step(step).tolist()):
            return step
    raise LookupError("a pass sees every sample")


def source_rows(loop: Loop, passes: Sequence[Passed]) -> list[int]:
    """Of the step, in its order."""
    return [int(loop.samples.source_rows[int(i)]) for one in passes for i in one.batch.rows]
