"""The validation part: its mean negative log-likelihood per trained token, over all tokens of all processes.

Nothing that the next step depends on is touched: training flags and random states are as before.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from dadeum.core import faults
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.train.hooks import Hook

if TYPE_CHECKING:
    from torch import nn

    from dadeum.core.progress import Reporter
    from dadeum.train.job import TrainJob
    from dadeum.train.loop import Loop, StepReport

PLACE = 50


class Settings(MemberSettings):
    """Has none; the interval is `train.eval_steps`."""

    type: Literal["evaluation"] = "evaluation"


def build(settings: Settings, job: "TrainJob", reporter: "Reporter") -> Hook:
    """The hook."""
    return Evaluation(reporter)


class Evaluation(Hook):
    """Scores when it is due, also what a stopped run still owes; warns when the loss keeps rising."""

    def __init__(self, reporter: "Reporter") -> None:
        self.reporter = reporter

    def on_start(self, loop: "Loop") -> None:
        """A run that was stopped inside an evaluation does it now."""
        if loop.step and loop.step not in loop.validation:
            self._evaluate(loop)

    def on_step(self, loop: "Loop", report: "StepReport") -> None:
        """Evaluate if due."""
        self._evaluate(loop)

    def _evaluate(self, loop: "Loop") -> None:
        if not len(loop.validation_samples) or not loop.schedule.evaluates_after(loop.step):
            return
        loss = validation_loss(loop)
        loop.validation[loop.step] = loss
        loop.emit("on_evaluate", loss)
        self._warn(loop)

    def _warn(self, loop: "Loop") -> None:
        losses = [loop.validation[step] for step in sorted(loop.validation)]
        if len(losses) >= 3 and losses[-1] > losses[-2] > losses[-3]:
            best = min(loop.validation, key=lambda step: loop.validation[step])
            self.reporter.warn(
                say(
                    f"step {loop.step}: validation loss rises: {losses[-3]:.4f}, {losses[-2]:.4f}, {losses[-1]:.4f}; "
                    f"it was best at step {best} ({loop.validation[best]:.4f}): the model may learn the rows by heart",
                    f"{loop.step}단계: 검증 손실이 오르고 있습니다: {losses[-3]:.4f}, {losses[-2]:.4f}, {losses[-1]:.4f}. "
                    f"가장 좋았던 때는 {best}단계({loop.validation[best]:.4f})입니다. 학습 행을 외우고 있을 수 있습니다",
                )
            )


@contextlib.contextmanager
def untouched(model: "nn.Module") -> Iterator[None]:
    """Evaluation mode inside; every module's flag and every random state as before outside."""
    from dadeum.train import rng

    flags = {module: module.training for module in model.modules()}
    with rng.unchanged():
        model.eval()
        try:
            yield
        finally:
            for module, flag in flags.items():
                module.training = flag


def validation_loss(loop: "Loop") -> float:
    """Sum of all terms' sums over the sum of their weights; the same for any batch size and number of processes."""
    import numpy as np
    import torch

    order = np.argsort(-np.asarray(loop.validation_samples.lengths), kind="stable")
    found: dict[str, tuple[float, float, float]] = {}
    facts = loop.context.facts
    with untouched(loop.module), torch.no_grad():
        if hasattr(loop.objective, "survey"):
            loop.survey(list(loop.micro_batches(order, loop.validation_samples)))
        for batch in loop.micro_batches(order, loop.validation_samples):
            faults.point("evaluate.validation")
            loop.emit("on_micro_step")
            for name, value in loop.compute(loop.module, batch)[0].items():
                weight, coefficient = batch.weights[name]
                total, weights, _ = found.get(name, (0.0, 0.0, 0.0))
                found[name] = (total + float(value) * batch.share, weights + weight * batch.share, coefficient)
    loop.context.facts = facts
    sums = loop.processes.total([part for total, weight, _ in found.values() for part in (total, weight)])
    pairs = zip(found.values(), sums[::2], sums[1::2], strict=True)
    return sum(coefficient * total / weight for (_, _, coefficient), total, weight in pairs if weight)
