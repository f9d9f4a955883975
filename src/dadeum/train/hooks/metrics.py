"""`metrics.jsonl` in the run's evidence: one line a logging interval, one an evaluation.

Training lines: step, epoch, loss (mean of the steps since the last line), learning_rate and grad_norm of the step,
tokens and trained_tokens so far, tokens_per_second, memory_bytes, and what the objective shows (such as rewards/margins: the mean
of these steps too). Evaluation lines: step, epoch, validation_loss. Both end with `time`, in seconds since 1970.
"""

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dadeum.core.artifact import write_text
from dadeum.core.settings import MemberSettings
from dadeum.train.hooks import Hook
from dadeum.train.job import METRICS
from dadeum.train.meter import peak_memory

if TYPE_CHECKING:
    from dadeum.core.progress import Reporter
    from dadeum.train.job import TrainJob
    from dadeum.train.loop import Loop, StepReport

PLACE = 20


class Settings(MemberSettings):
    """Has none; the interval is `train.logging_steps`."""

    type: Literal["metrics"] = "metrics"


def build(settings: Settings, job: "TrainJob", reporter: "Reporter") -> Hook:
    """The hook."""
    return Metrics(job.evidence / METRICS, job.train.logging_steps)


class Metrics(Hook):
    """Sums up the steps of an interval and appends a line."""

    def __init__(self, path: Path, every: int) -> None:
        self.path = path
        self.every = every
        self._empty()

    def _empty(self) -> None:
        self.loss, self.steps, self.tokens, self.seconds = 0.0, 0, 0, 0.0
        self.shown: dict[str, tuple[float, int]] = {}

    def on_start(self, loop: "Loop") -> None:
        """A fresh run begins a fresh file; a resumed one forgets the lines after its checkpoint."""
        if not loop.processes.main:
            return
        lines = _lines(self.path) if loop.resumed_from is not None else []
        kept = [line for line in lines if _happened(line, loop)]
        write_text(self.path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in kept))

    def on_step(self, loop: "Loop", report: "StepReport") -> None:
        """Count; at the end of the interval, write."""
        if report.updated:
            self.loss += report.loss
            self.steps += 1
        self.tokens += report.tokens
        self.seconds += report.seconds
        for name, value in report.metrics.items():
            if math.isfinite(value):
                total, count = self.shown.get(name, (0.0, 0))
                self.shown[name] = (total + value, count + 1)
        if report.step % self.every and report.step != loop.schedule.steps:
            return
        self._write(
            loop,
            step=report.step,
            epoch=report.epoch,
            loss=self.loss / self.steps if self.steps else None,
            learning_rate=report.learning_rate,
            grad_norm=report.grad_norm if math.isfinite(report.grad_norm) else None,
            tokens=loop.tokens,
            trained_tokens=loop.trained_tokens,
            tokens_per_second=round(self.tokens / self.seconds, 1) if self.seconds else None,
            memory_bytes=peak_memory(),
            **{name: total / count for name, (total, count) in self.shown.items()},
        )
        self._empty()

    def on_evaluate(self, loop: "Loop", loss: float) -> None:
        """Write."""
        self._write(loop, step=loop.step, epoch=loop.schedule.epoch_at(loop.step), validation_loss=loss)

    def _write(self, loop: "Loop", **line: Any) -> None:
        if loop.processes.main:
            with self.path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(json.dumps({**line, "time": round(time.time(), 3)}, allow_nan=False) + "\n")

    def state(self) -> dict[str, Any]:
        """The interval that is under way."""
        shown = {name: list(pair) for name, pair in self.shown.items()}
        return {
            "loss": self.loss,
            "steps": self.steps,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "shown": shown,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with it."""
        self.loss, self.steps = state.get("loss", 0.0), state.get("steps", 0)
        self.tokens, self.seconds = state.get("tokens", 0), state.get("seconds", 0.0)
        self.shown = {name: (total, count) for name, (total, count) in state.get("shown", {}).items()}


def _lines(path: Path) -> list[dict[str, Any]]:
    """Every whole line; one that a kill cut short is none."""
    found = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("step"), int):
            found.append(line)
    return found


def _happened(line: dict[str, Any], loop: "Loop") -> bool:
    """Whether the checkpoint knows of the line: an evaluation after its step may not have been finished."""
    return line["step"] in loop.validation if "validation_loss" in line else bool(line["step"] <= loop.step)
