"""Numbers that are not finite: no weight moves by them (the loop sees to that), and three in a row end the run."""

from typing import TYPE_CHECKING, Any, Literal

from dadeum.core.errors import TrainError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.train.hooks import Hook

if TYPE_CHECKING:
    from dadeum.core.progress import Reporter
    from dadeum.train.job import TrainJob
    from dadeum.train.loop import Loop, StepReport

PLACE = 10
PATIENCE = 3
SHOWN = 8


class Settings(MemberSettings):
    """Has none."""

    type: Literal["guard"] = "guard"


def build(settings: Settings, job: "TrainJob", reporter: "Reporter") -> Hook:
    """The hook."""
    return Guard(reporter)


class Guard(Hook):
    """Counts failed steps in a row. An overflow of fp16 is none: the scale is lowered, and training goes on."""

    def __init__(self, reporter: "Reporter") -> None:
        self.reporter = reporter
        self.failures = 0

    def on_step(self, loop: "Loop", report: "StepReport") -> None:
        """Warn of a failed step; raise TrainError at the third in a row."""
        if report.updated:
            self.failures = 0
        if report.updated or report.overflow:
            return
        self.failures += 1
        rows = ", ".join(map(str, report.source_rows[:SHOWN])) + (" …" if len(report.source_rows) > SHOWN else "")
        english = f"step {report.step}: loss {report.loss}, gradient norm {report.grad_norm} (source rows {rows})"
        korean = f"{report.step}단계: 손실 {report.loss}, 그래디언트 크기 {report.grad_norm} (원본 행 {rows})"
        if self.failures < PATIENCE:
            self.reporter.warn(say(f"{english}; the step is left out", f"{korean}. 이 단계는 건너뜁니다"))
            return
        raise TrainError(
            say(
                f"{english}: not finite {PATIENCE} times in a row, no weight was changed by it; the last checkpoint is "
                "whole; look at these rows, or lower train.learning_rate, or use train.precision=bf16 or fp32",
                f"{korean}: {PATIENCE}번 연속 유한하지 않습니다. 가중치는 바뀌지 않았고 마지막 체크포인트는 온전합니다. "
                "이 행들을 살펴보거나 train.learning_rate를 낮추거나 train.precision=bf16 또는 fp32를 쓰세요",
            )
        )

    def state(self) -> dict[str, Any]:
        """Failures in a row so far."""
        return {"failures": self.failures}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on counting."""
        self.failures = state.get("failures", 0)
