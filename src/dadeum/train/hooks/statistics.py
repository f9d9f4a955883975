"""`training_stats.json`: what was trained, on what, how far, how fast."""

from typing import TYPE_CHECKING, Any, Literal

from dadeum.core.artifact import write_json
from dadeum.core.fingerprint import versions
from dadeum.core.settings import MemberSettings
from dadeum.train.hooks import Hook
from dadeum.train.job import STATISTICS, TrainJob
from dadeum.train.meter import peak_memory

if TYPE_CHECKING:
    from dadeum.core.progress import Reporter
    from dadeum.train.loop import Loop, StepReport

PLACE = 40


class Settings(MemberSettings):
    """Has none."""

    type: Literal["statistics"] = "statistics"


def build(settings: Settings, job: TrainJob, reporter: "Reporter") -> Hook:
    """The hook."""
    return Statistics(job)


class Statistics(Hook):
    """Keeps the training loss of each interval; writes the file when the last step is done."""

    def __init__(self, job: TrainJob) -> None:
        self.job = job
        self.window: list[float] = []
        self.best: float | None = None
        self.final: float | None = None
        self.left_out = 0
        self.peak = 0

    def on_step(self, loop: "Loop", report: "StepReport") -> None:
        """Losses are means over `logging_steps` steps: one step's loss says little."""
        self.peak = max(self.peak, peak_memory())
        if report.updated:
            self.window.append(report.loss)
        else:
            self.left_out += 1
        last = report.step == loop.schedule.steps
        if self.window and (last or report.step % self.job.train.logging_steps == 0):
            self.final = sum(self.window) / len(self.window)
            self.best = self.final if self.best is None else min(self.best, self.final)
            self.window = []

    def on_end(self, loop: "Loop") -> None:
        """Write."""
        peak = int(loop.processes.greatest(self.peak))
        if loop.processes.main:
            write_json(self.job.evidence / STATISTICS, self._facts(loop, peak))

    def _facts(self, loop: "Loop", peak: int) -> dict[str, Any]:
        from dadeum.model.few_bits import held_bytes, size_of

        job, parameters = self.job, list(loop.module.parameters())
        best = min(loop.validation, key=lambda step: loop.validation[step], default=None)
        return {
            "model": job.model.name_or_path or f"random {(job.model.config or {}).get('model_type', '')}".strip(),
            "adapter": job.adapter.model_dump(mode="json"),
            "rows": len(loop.samples),
            "validation_rows": len(loop.validation_samples),
            "tokens": loop.tokens,
            "trained_tokens": loop.trained_tokens,
            "optimizer_steps": loop.step,
            "steps_left_out": self.left_out,
            "epochs": loop.schedule.epochs,
            "total_train_batch_size": loop.schedule.total_batch,
            "per_device_train_batch_size": loop.per_device,
            "final_loss": self.final,
            "best_loss": self.best,
            "final_validation_loss": loop.validation.get(loop.step),
            "best_validation_loss": None if best is None else loop.validation[best],
            "best_validation_step": best,
            "seconds": loop.seconds,
            "tokens_per_second": loop.tokens / loop.seconds if loop.seconds else None,
            "peak_memory_bytes": peak,
            "parameters": sum(map(size_of, parameters)),
            "weights_bytes": held_bytes(loop.module),
            "quantization": None if job.model.quantization is None else job.model.quantization.scheme,
            "trainable_parameters": sum(p.numel() for p in parameters if p.requires_grad),
            "device": loop.device_name,
            "processes": loop.processes.world_size,
            "precision": loop.arithmetic.precision,
            "packing": job.packing,
            "versions": versions(),
            "fingerprints": {"run": job.fingerprint, "data": loop.conditions["data"], "weights": loop.weights_sha256},
            "experiment": job.experiment,
        }

    def state(self) -> dict[str, Any]:
        """Losses so far."""
        return {
            "window": self.window,
            "best": self.best,
            "final": self.final,
            "left_out": self.left_out,
            "peak": self.peak,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with them."""
        self.window, self.best, self.final = state.get("window", []), state.get("best"), state.get("final")
        self.left_out, self.peak = state.get("left_out", 0), state.get("peak", 0)
