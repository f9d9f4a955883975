"""The log file `training_YYYYMMDD_HHMMSS.log` in the run's evidence."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dadeum.core.errors import DadeumError
from dadeum.core.fingerprint import versions
from dadeum.core.log import close_log, open_log
from dadeum.core.settings import MemberSettings
from dadeum.train.hooks import Hook

if TYPE_CHECKING:
    from dadeum.core.progress import Reporter
    from dadeum.train.job import TrainJob
    from dadeum.train.loop import Loop, StepReport

PLACE = 0
logger = logging.getLogger("dadeum")


class Settings(MemberSettings):
    """Has none; the interval is `train.logging_steps`."""

    type: Literal["log"] = "log"


def build(settings: Settings, job: "TrainJob", reporter: "Reporter") -> Hook:
    """The hook."""
    return Log(job)


class Log(Hook):
    """Writes what happened, in plain lines, with the traceback of a fault of ours."""

    def __init__(self, job: "TrainJob") -> None:
        self.job = job
        self.path: Path | None = None

    def on_prepare(self, main: bool) -> None:
        """A new file for each start."""
        if main:
            self.path = open_log(self.job.evidence, "training")
            logger.info("versions: %s", " ".join(f"{name} {version}" for name, version in versions().items()))
            logger.info("seed %d", self.job.train.seed)

    def on_start(self, loop: "Loop") -> None:
        """What is about to run."""
        begins = "starts" if loop.resumed_from is None else f"continues after step {loop.resumed_from}"
        logger.info(
            "training %s: %d steps of %d samples, micro-batches of %d, %d processes, %s on %s, weights %s",
            begins,
            loop.schedule.steps,
            loop.schedule.total_batch,
            loop.per_device,
            loop.processes.world_size,
            loop.arithmetic.precision,
            loop.processes.device,
            loop.weights_sha256[:12],
        )

    def on_step(self, loop: "Loop", report: "StepReport") -> None:
        """One line an interval, and one for each step that was left out."""
        if not report.updated or report.step % self.job.train.logging_steps == 0 or report.step == loop.schedule.steps:
            logger.info(
                "step %d: loss %.6f, learning rate %.3g, gradient norm %.4g%s%s",
                report.step,
                report.loss,
                report.learning_rate,
                report.grad_norm,
                "".join(f", {name} {value:.4g}" for name, value in report.metrics.items()),
                "" if report.updated else " (no update)",
            )

    def on_evaluate(self, loop: "Loop", loss: float) -> None:
        """The loss."""
        logger.info("step %d: validation loss %.6f", loop.step, loss)

    def on_save(self, loop: "Loop", folder: Path) -> None:
        """Where."""
        logger.info("step %d: saved %s", loop.step, folder)

    def on_stop(self, loop: "Loop") -> None:
        """After which step."""
        logger.info("stopped by a signal after step %d", loop.step)

    def on_end(self, loop: "Loop") -> None:
        """How long it took."""
        logger.info("done: %d steps, %d tokens, %.1f s", loop.step, loop.tokens, loop.seconds)

    def on_error(self, error: BaseException) -> None:
        """A user's fault is one line; ours has its traceback."""
        if isinstance(error, DadeumError):
            logger.error("%s", error)
        else:
            logger.error("ended by an internal fault", exc_info=error)

    def on_close(self) -> None:
        """Close the file; others that are open go on."""
        if self.path is not None:
            close_log(self.path)
