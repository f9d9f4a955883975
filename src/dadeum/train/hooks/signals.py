"""Ctrl-C and SIGTERM: the first one ends the run in good order before its next forward pass, the second at once."""

import os
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal

from dadeum.core.settings import MemberSettings
from dadeum.train.hooks import Hook, Stop

if TYPE_CHECKING:
    from dadeum.core.progress import Reporter
    from dadeum.train.job import TrainJob
    from dadeum.train.loop import Loop

PLACE = 5
CAUGHT = (signal.SIGINT, signal.SIGTERM)


class Settings(MemberSettings):
    """Has none."""

    type: Literal["signals"] = "signals"


def build(settings: Settings, job: "TrainJob", reporter: "Reporter") -> Hook:
    """The hook."""
    return Signals()


class Signals(Hook):
    """Remembers the first signal; all processes stop as soon as one of them was told."""

    def __init__(self) -> None:
        self.received = 0
        self.before: dict[int, Any] = {}

    def on_prepare(self, main: bool) -> None:
        """Listen, from before the model is loaded. Only a main thread may."""
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._receive) for number in CAUGHT}

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.received = number

    def on_micro_step(self, loop: "Loop") -> None:
        """Raises Stop once a signal came."""
        number = int(loop.processes.greatest(self.received))
        if number:
            raise Stop(number)

    def on_close(self) -> None:
        """Stop listening."""
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.before = {}
