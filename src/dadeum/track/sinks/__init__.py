"""Where a run's evidence is sent: one file a tracker.

`metrics.jsonl` and the files beside it are the truth and the queue; a sink reads nothing by itself, it is given points and
files by the sender (`track/sender.py`), in a process of its own, and may fail at any call: what it did not take is
given again. A file here imports its tracker's package only inside `open`.

To add a tracker, add a file that holds what `Sink` asks for; its name is what users write in `track`.
"""

from typing import Any, Protocol

from dadeum.core.family import Family
from dadeum.core.settings import MemberSettings
from dadeum.track.session import Session, Told

SINKS = Family("dadeum.track.sinks")


class Sink(Protocol):
    """What a tracker's file holds."""

    EXTRA: str  # the extra of dadeum that installs its package
    PACKAGE: str  # that package's module

    def check(self, settings: MemberSettings) -> None:
        """Raises ConfigError for an address or a variable that cannot be right; asked before anything runs. Light."""

    def place(self, settings: MemberSettings) -> str:
        """Where it sends, for people: an address without a secret, or a file of the workspace."""

    def server(self, settings: MemberSettings) -> str | None:
        """The HTTP address that must answer before the package is even imported; None for files."""

    def quiet(self) -> dict[str, str]:
        """Variables that keep the package from reporting home and from waiting for long."""

    def open(self, settings: MemberSettings, told: Told, memory: dict[str, Any]) -> Session:
        """Go on with the tracker's run that `memory` names, or begin one."""
