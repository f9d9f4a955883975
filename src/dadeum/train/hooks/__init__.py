"""What happens beside the loop: one concern a file, all of them always present, each with its place in the order.

A hook file holds `Settings`, `PLACE` (hooks run from the smallest to the greatest) and
`build(settings, job, reporter) -> Hook`. A hook reads the loop; guard and signals stop it, by raising.
"""

import signal
from typing import TYPE_CHECKING, Any

from dadeum.core.family import Family
from dadeum.core.language import say

if TYPE_CHECKING:
    from pathlib import Path

    from dadeum.core.progress import Reporter
    from dadeum.train.job import TrainJob
    from dadeum.train.loop import Loop, StepReport

HOOKS = Family("dadeum.train.hooks")


class Stop(Exception):
    """Raised by a hook to end the run in good order, after a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def sentence(self, step: int) -> str:
        """What the user reads."""
        name = signal.Signals(self.number).name
        if not step:
            return say(f"stopped by {name} before the first step", f"첫 단계 전에 {name}(으)로 멈췄습니다")
        return say(
            f"stopped by {name} after step {step}, which is saved; run the same command again to go on",
            f"{name}(으)로 {step}단계 뒤에 멈추고 저장했습니다. 같은 명령을 다시 실행하면 이어집니다",
        )


class Hook:
    """The events of a training. What a hook leaves out does nothing."""

    def on_prepare(self, main: bool) -> None:
        """Before the model is loaded; `main` says whether this is the process that writes."""

    def on_start(self, loop: "Loop") -> None:
        """The loop stands ready, resumed or fresh; no step was done yet in this process."""

    def on_micro_step(self, loop: "Loop") -> None:
        """Before each forward pass, of training and of evaluation. On every process equally often."""

    def on_step(self, loop: "Loop", report: "StepReport") -> None:
        """An optimizer step is done."""

    def on_evaluate(self, loop: "Loop", loss: float) -> None:
        """The validation part was scored."""

    def on_save(self, loop: "Loop", folder: "Path") -> None:
        """A checkpoint is whole."""

    def on_stop(self, loop: "Loop") -> None:
        """A signal ends the run; the loop stands after its last whole step."""

    def on_end(self, loop: "Loop") -> None:
        """The last step is done."""

    def on_error(self, error: BaseException) -> None:
        """The run ends with this error; there may be no loop yet."""

    def on_close(self) -> None:
        """Always, at the very end."""

    def state(self) -> dict[str, Any]:
        """What this hook must know again after a resume; goes into the checkpoint as JSON."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""


def build_hooks(job: "TrainJob", reporter: "Reporter") -> dict[str, Hook]:
    """Every hook of the family by name, in the order of their `PLACE`."""
    modules = sorted(((HOOKS.member(name), name) for name in HOOKS.names), key=lambda pair: pair[0].PLACE)
    return {name: module.build(module.Settings(type=name), job, reporter) for module, name in modules}
