"""What a sender tells a tracker: facts of the run, points of curves, files; and what every tracker must be able to take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

# How a run stands: under way; done; ended by an error; stopped by a signal or killed; done so far, more is to come.
Status = Literal["running", "finished", "failed", "killed", "waiting"]


@dataclass(frozen=True)
class Told:
    """A run as trackers hear of it. Nothing in it holds a secret."""

    workspace: Path
    experiment: str
    run: str
    evidence: Path
    config: Mapping[str, str]  # every resolved setting by its dotted key
    tags: Mapping[str, str]
    identity: str  # one word that no other run has, on any machine
    started: float  # seconds since 1970


class Point(NamedTuple):
    """Some values at one step."""

    step: int
    time: float  # seconds since 1970; the same whenever the point is sent again
    values: Mapping[str, float]


@dataclass
class Session:
    """An open run at a tracker. Every call may block, raise or be cut off: it is made in the sender's process only.

    `memory` is kept beside the run's evidence and given back to the next session: the tracker's own number of the run. `fresh`
    says that the tracker knows nothing of the run yet, so that all is sent. `lasting` says that what `metrics` took is safe
    there; otherwise it counts as sent only after `close`.
    """

    memory: dict[str, Any] = field(default_factory=dict)
    fresh: bool = True
    lasting: bool = True

    def params(self, values: Mapping[str, str]) -> None:
        """The settings; called again when one of them changed."""
        raise NotImplementedError

    def metrics(self, points: Sequence[Point]) -> None:
        """Points of curves, in the order of their steps."""
        raise NotImplementedError

    def artifact(self, path: Path, name: str) -> None:
        """A file under a name with slashes; a newer one takes its place."""
        raise NotImplementedError

    def close(self, status: Status, tags: Mapping[str, str], ended: float) -> None:
        """How the run stands since when; nothing follows in this session."""
        raise NotImplementedError
