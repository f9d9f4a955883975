"""The line on the screen: step, loss, tokens per second, memory, time left."""

from typing import TYPE_CHECKING, Literal

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.train.hooks import Hook
from dadeum.train.meter import peak_memory

if TYPE_CHECKING:
    from dadeum.core.progress import Reporter
    from dadeum.train.job import TrainJob
    from dadeum.train.loop import Loop, StepReport

PLACE = 30
SMOOTH = 0.9


class Settings(MemberSettings):
    """Has none."""

    type: Literal["progress"] = "progress"


def build(settings: Settings, job: "TrainJob", reporter: "Reporter") -> Hook:
    """The hook."""
    return Progress(reporter)


class Progress(Hook):
    """Speaks to the reporter after each step; speed is smoothed over the last steps of this process."""

    def __init__(self, reporter: "Reporter") -> None:
        self.reporter = reporter
        self.seconds = self.tokens = 0.0

    def on_start(self, loop: "Loop") -> None:
        """The bar begins where a resumed run stands."""
        self.reporter.start(say("training", "학습"), loop.schedule.steps, say("step", "단계"))
        if loop.step:
            self.reporter.advance(loop.step)

    def on_step(self, loop: "Loop", report: "StepReport") -> None:
        """Advance."""
        self.seconds = SMOOTH * self.seconds + report.seconds
        self.tokens = SMOOTH * self.tokens + report.tokens
        weight = min(1 / (1 - SMOOTH), loop.step - (loop.resumed_from or 0))
        left = (loop.schedule.steps - report.step) * self.seconds / max(weight, 1.0)
        self.reporter.advance(
            report.step,
            loss=round(report.loss, 4),
            tokens_per_second=round(self.tokens / self.seconds),
            memory=f"{peak_memory() / 1e9:.1f} GB",
            left=clock(left),
        )


def clock(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
