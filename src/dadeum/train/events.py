"""The events of a training: what a hook may hear, and how it stops the run. Knows no loop; the loop knows this."""

import signal
from typing import TYPE_CHECKING, Any

from dadeum.core.language import say

if TYPE_CHECKING:
    from pathlib import Path


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
    """The events of a training. What a hook leaves out does nothing.

    `loop` is the `train.loop.Loop`, `report` its `StepReport`; hooks name these types, the contract cannot without a circle.
    """

    def on_prepare(self, main: bool) -> None:
        """Before the model is loaded; `main` says whether this is the process that writes."""

    def on_start(self, loop: Any) -> None:
        """The loop stands ready, resumed or fresh; no step was done yet in this process."""

    def on_micro_step(self, loop: Any) -> None:
        """Before each forward pass, of training and of evaluation. On every process equally often."""

    def on_step(self, loop: Any, report: Any) -> None:
        """An optimizer step is done."""

    def on_evaluate(self, loop: Any, loss: float) -> None:
        """The validation part was scored."""

    def on_save(self, loop: Any, folder: "Path") -> None:
        """A checkpoint is whole."""

    def on_stop(self, loop: Any) -> None:
        """A signal ends the run; the loop stands after its last whole step."""

    def on_end(self, loop: Any) -> None:
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
