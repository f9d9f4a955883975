"""Checkpoints when they are due and when a signal ends the run; the oldest ones beyond the limit go."""

from typing import TYPE_CHECKING, Literal

from dadeum.core.settings import MemberSettings
from dadeum.train.hooks import Hook

if TYPE_CHECKING:
    from dadeum.core.progress import Reporter
    from dadeum.train.job import TrainJob
    from dadeum.train.loop import Loop, StepReport

PLACE = 60


class Settings(MemberSettings):
    """Has none; see `train.save_steps` and `train.save_total_limit`."""

    type: Literal["checkpoint"] = "checkpoint"


def build(settings: Settings, job: "TrainJob", reporter: "Reporter") -> Hook:
    """The hook."""
    return Save()


class Save(Hook):
    """Saves after evaluations, so that a checkpoint knows its own score."""

    def on_step(self, loop: "Loop", report: "StepReport") -> None:
        """Save if due."""
        if loop.schedule.saves_after(loop.step):
            self._save(loop)

    def on_stop(self, loop: "Loop") -> None:
        """Save what is done, unless it was saved already or nothing is done."""
        if loop.step and loop.step != loop.saved:
            self._save(loop)

    def _save(self, loop: "Loop") -> None:
        from dadeum.train.state import rotate, write_checkpoint

        folder = write_checkpoint(loop)
        loop.saved = loop.step
        loop.emit("on_save", folder)
        if loop.processes.main:
            rotate(loop)
        loop.processes.wait()
