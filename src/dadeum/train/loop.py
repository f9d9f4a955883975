"""The only training loop. Read it from `run` down.

One optimizer step: the samples of all its micro-batches are laid out, the weight of each term is summed over all
micro-batches and all processes, and then each micro-batch adds the gradient of `coefficient × sum ÷ that weight`. So
the cut into micro-batches, packing and the number of processes change the result by rounding only.

Knows no file and no screen: that is what hooks are for.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dadeum.core import faults
from dadeum.core.errors import Interrupted, TrainError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.data.samples import Entry
from dadeum.model.adapters import Course
from dadeum.train import rng
from dadeum.train.context import Context, Layout
from dadeum.train.events import Hook, Stop
from dadeum.train.job import TrainJob
from dadeum.train.order import Order
from dadeum.train.precision import Arithmetic
from dadeum.train.processes import Processes
from dadeum.train.schedule import Schedule
from dadeum.train.weights import hash_of_trained

Indices = NDArray[np.int64]


class Rows(Protocol):
    """Samples on disk: `data.samples.Samples`."""

    lengths: NDArray[Any]
    source_rows: NDArray[Any]
    shortest: int  # sequence
    longest: int
    several: bool  # whether samples have more than one sequence

    def __len__(self) -> int:
        """How many."""

    def __getitem__(self, index: int) -> Entry:
        """Ids, weights, row of the source, bytes of the answer; targets and further sequences."""


@dataclass
class MicroBatch:
    """What one forward pass sees. `share` is 0 for one that only keeps this process in step with the others."""

    rows: Indices
    tensors: dict[str, Any]
    weights: dict[str, tuple[float, float]]
    share: float
    tokens: int


@dataclass(frozen=True)
class StepReport:
    """One optimizer step, over all processes. `source_rows`: those that made it fail, where it was not `updated`."""

    step: int
    epoch: float
    loss: float
    learning_rate: float
    grad_norm: float
    tokens: int
    trained_tokens: int
    seconds: float
    source_rows: list[int]
    updated: bool
    overflow: bool
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass
class Loop:
    """The parts of a training, and how far it has come."""

    job: TrainJob
    reporter: Reporter
    processes: Processes
    objective: Any
    module: nn.Module
    model: nn.Module
    optimizer: torch.optim.Optimizer
    learning_rate: Callable[[int], float]
    arithmetic: Arithmetic
    samples: Rows
    validation_samples: Rows
    order: Order
    schedule: Schedule
    hooks: dict[str, Hook]
    pad_id: int
    stop_ids: tuple[int, ...]
    per_device: int
    conditions: dict[str, Any]
    device_name: str = "cpu"
    context: Context = field(default_factory=Context)
    course: Course = field(default_factory=Course)
    step: int = 0
    tokens: int = 0
    trained_tokens: int = 0
    seconds: float = 0.0
    validation: dict[int, float] = field(default_factory=dict)
    resumed_from: int | None = None
    saved: int | None = None
    _first: bool = True
    _before_step: dict[str, Tensor] | None = None

    def run(self) -> None:
        """Do the steps that are left. Raises Interrupted after a signal, with the last whole step saved."""
        self.model.train()
        try:
            self.emit("on_start")
            while self.step < self.schedule.steps:
                faults.point("train.step")
                report = self._optimizer_step()
                self.emit("on_step", report)
            self.emit("on_end")
        except Stop as stop:
            self._roll_back()
            self.emit("on_stop")
            raise Interrupted(stop.sentence(self.step), stop.number) from None

    @property
    def weights_sha256(self) -> str:
        """Hash of the trainable weights as they are now."""
        return hash_of_trained(self.module)

    def emit(self, event: str, *facts: Any) -> None:
        """Tell every hook."""
        for hook in self.hooks.values():
            getattr(hook, event)(self, *facts)

    def _optimizer_step(self) -> StepReport:
        started = time.perf_counter()
        self._before_step = rng.capture()
        rows = self.order.of_step(self.step)
        batches = list(self.micro_batches(rows, self.samples))
        factors = self.factors(batches)
        self.survey(batches)
        sums: list[dict[str, Tensor]] = []
        shown: list[dict[str, Tensor]] = []
        for batch in batches:
            self.emit("on_micro_step")
            faults.point("train.micro_step")
            with self.processes.silent(self.model, quiet=batch is not batches[-1]):
                found, beside = self._forward_backward(batch, factors)
            sums.append(found)
            shown.append(beside)
        loss = self._loss(sums, factors)
        return self._update(rows, batches, sums, loss, self._means(shown), started)

    def _update(
        self,
        rows: Indices,
        batches: list[MicroBatch],
        sums: list[dict[str, Tensor]],
        loss: float,
        metrics: dict[str, float],
        started: float,
    ) -> StepReport:
        """Clip, move the weights if every number is finite, and count."""
        arithmetic = self.arithmetic
        arithmetic.scaler.unscale_(self.optimizer)
        if self._first:
            self.every_weight_has_a_gradient()
        loss += self._penalise()
        norm = self._clip()
        rate = self.learning_rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("lr_ratio", 1.0)
        overflow = math.isfinite(loss) and not math.isfinite(norm) and arithmetic.may_overflow
        updated = arithmetic.step(self.optimizer, math.isfinite(loss) and math.isfinite(norm))
        if updated:
            self.course.after_step(self.step + 1)
        self.optimizer.zero_grad(set_to_none=True)
        self._first, self._before_step = False, None
        self.step += 1
        tokens, trained, seconds = self._count(batches, time.perf_counter() - started)
        blamed = [] if updated or overflow else self._not_finite(batches, sums) or [int(i) for i in rows]
        return StepReport(
            step=self.step,
            epoch=self.schedule.epoch_at(self.step),
            loss=loss,
            learning_rate=rate,
            grad_norm=norm,
            tokens=tokens,
            trained_tokens=trained,
            seconds=seconds,
            source_rows=[int(self.samples[i][2]) for i in blamed],
            updated=updated,
            overflow=overflow,
            metrics=metrics,
        )

    def micro_batches(self, rows: Indices, source: Rows) -> Iterator[MicroBatch]:
        """This process's micro-batches of these rows of all processes; each process gets equally many.

        One that has no row left repeats another's, which then counts for nothing: collectives need company.
        """
        rank, world_size, size = self.processes.rank, self.processes.world_size, self.per_device
        mine = rows[rank::world_size]
        for start in range(0, -(-len(rows) // world_size), size):
            piece = mine[start : start + size]
            yield self.lay_out(piece if len(piece) else rows[:1], source, share=1.0 if len(piece) else 0.0)

    def lay_out(self, rows: Indices, source: Rows, *, share: float = 1.0) -> MicroBatch:
        """One micro-batch of these rows, on the CPU."""
        samples = [source[int(i)] for i in rows]
        settings = self.job.train.objective
        tensors = self.objective.collate(settings, samples, Layout(self.job.packing, self.pad_id))
        if self.context.prepared is not None:
            tensors |= self.context.prepared.tensors(rows, source)
        weights = self.objective.weigh(settings, tensors)
        return MicroBatch(rows, tensors, weights, share, tokens=sum(len(sample.input_ids) for sample in samples))

    def survey(self, batches: Sequence[MicroBatch]) -> None:
        """Let the objective look at all of a step, or of the validation part, before it: means over all processes."""
        look = getattr(self.objective, "survey", None)
        if look is None:
            return
        sums: dict[str, tuple[float, float]] = {}
        with torch.no_grad(), rng.unchanged():
            for batch in batches:
                with self.arithmetic.autocast():
                    found = look(self.job.train.objective, self.module, self._moved(batch), self.context)
                for name, (total, weight) in found.items():
                    before = sums.get(name, (0.0, 0.0))
                    sums[name] = (before[0] + batch.share * total, before[1] + batch.share * weight)
        totals = self.processes.total([part for pair in sums.values() for part in pair])
        pairs = zip(sums, totals[::2], totals[1::2], strict=True)
        self.context.facts = {name: total / weight if weight else 0.0 for name, total, weight in pairs}

    def factors(self, batches: Sequence[MicroBatch]) -> dict[str, float]:
        """What the sum of each term is multiplied by: its coefficient ÷ its weight in all of a step."""
        coefficients = {name: coefficient for name, (_, coefficient) in batches[0].weights.items()}
        totals = self.processes.total([sum(b.share * b.weights[name][0] for b in batches) for name in coefficients])
        return {
            name: coefficient / total if total else 0.0
            for (name, coefficient), total in zip(coefficients.items(), totals, strict=True)
        }

    def compute(self, model: nn.Module, batch: MicroBatch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The sum of each term of a micro-batch, under autocast, and the metrics (sum, weight) that are only shown."""
        with self.arithmetic.autocast():
            found: tuple[dict[str, Tensor], dict[str, Tensor]] = self.objective.compute(
                self.job.train.objective, model, self._moved(batch), self.context
            )
        return found

    def _moved(self, batch: MicroBatch) -> dict[str, Any]:
        device = self.processes.device
        return {k: v.to(device) if isinstance(v, Tensor) else v for k, v in batch.tensors.items()}

    def _forward_backward(
        self, batch: MicroBatch, factors: dict[str, float]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        sums, shown = self.compute(self.model, batch)
        # DDP takes the mean of the processes' gradients, and their sum is wanted.
        scale = batch.share * self.processes.world_size
        loss = torch.stack([sums[name] * (factor * scale) for name, factor in factors.items()]).sum()
        if not loss.requires_grad:
            self.every_weight_has_a_gradient()
        self.arithmetic.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        parts = ({name: value.detach() * batch.share for name, value in terms.items()} for terms in (sums, shown))
        return next(parts), next(parts)

    def _means(self, shown: list[dict[str, Tensor]]) -> dict[str, float]:
        """Metrics of the whole step, over all processes."""
        names = list(shown[0])
        if not names:
            return {}
        table = torch.stack([torch.stack([part[name] for name in names]) for part in shown]).double().sum(0)
        totals = self.processes.total([float(x) for x in table.flatten().tolist()])
        pairs = zip(names, totals[::2], totals[1::2], strict=True)
        return {name: total / weight for name, total, weight in pairs if weight}

    def _loss(self, sums: list[dict[str, Tensor]], factors: dict[str, float]) -> float:
        """The loss of the whole step, over all processes; the only place of a step that waits for the device."""
        names = list(factors)
        table = torch.stack([torch.stack([part[name] for name in names]) for part in sums]).double().sum(0)
        totals = self.processes.total([float(x) for x in table.tolist()])
        return sum(factors[name] * total for name, total in zip(names, totals, strict=True))

    def _penalise(self) -> float:
        """Add the adapter's own term: of the weights alone, so its gradient is the same in every process."""
        penalty = self.course.penalty()
        if penalty is None:
            return 0.0
        trained = [p for p in self.module.parameters() if p.grad is not None]
        for parameter, gradient in zip(trained, torch.autograd.grad(penalty, trained, allow_unused=True), strict=True):
            if gradient is not None and parameter.grad is not None:
                parameter.grad += gradient
        return float(penalty.detach())

    def _clip(self) -> float:
        """The norm of all gradients before they are clipped."""
        limit = self.job.train.max_grad_norm or math.inf
        trained = [p for p in self.module.parameters() if p.grad is not None]
        return float(torch.nn.utils.clip_grad_norm_(trained, limit))

    def _count(self, batches: list[MicroBatch], seconds: float) -> tuple[int, int, float]:
        """Tokens and trained tokens of all processes."""
        mine = [
            sum(b.tokens for b in batches if b.share),
            sum(int((b.tensors["weights"] > 0).sum()) for b in batches if b.share),
        ]
        tokens, trained = (int(n) for n in self.processes.total(mine))
        self.tokens += tokens
        self.trained_tokens += trained
        self.seconds += seconds
        return tokens, trained, seconds

    def _not_finite(self, batches: list[MicroBatch], sums: list[dict[str, Tensor]]) -> list[int]:
        """Rows of this process's micro-batches whose loss is not finite."""
        bad = [b.rows for b, s in zip(batches, sums, strict=True) if not all(v.isfinite().all() for v in s.values())]
        return [int(i) for rows in bad for i in rows]

    def every_weight_has_a_gradient(self) -> None:
        """Raises TrainError where something that should be trained is cut off from the loss."""
        names = [name for name, p in self.module.named_parameters() if p.requires_grad and p.grad is None]
        if names:
            shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
            raise TrainError(
                say(
                    f"step {self.step + 1}: {len(names)} trainable weights get no gradient ({shown}); nothing was "
                    "trained; try train.gradient_checkpointing=false, or other adapter.target_modules",
                    f"{self.step + 1}단계: 학습할 가중치 {len(names)}개에 그래디언트가 없습니다({shown}). 학습된 것은 없습니다. "
                    "train.gradient_checkpointing=false 또는 다른 adapter.target_modules를 써 보세요",
                )
            )

    def _roll_back(self) -> None:
        """Forget a step that was begun: as it was before its first draw."""
        self.optimizer.zero_grad(set_to_none=True)
        if self._before_step is not None:
            rng.restore(self._before_step)
            self._before_step = None
