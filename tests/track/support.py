"""Evidence as a run leaves it, and a tracker that remembers what it was told."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.progress import Silent
from dadeum.core.settings import MemberSettings
from dadeum.track import sender
from dadeum.track.position import Position
from dadeum.track.session import Point, Session, Status, Told

RUN = "20260102-030405-abcdef"


def lines(*steps: int, every: int = 3) -> list[dict[str, Any]]:
    """A training line a step, and after every third an evaluation."""
    found: list[dict[str, Any]] = []
    for step in steps:
        found.append({"step": step, "epoch": step / 10, "loss": 1 / step, "grad_norm": None, "time": 1000.0 + step})
        if step % every == 0:
            found.append({"step": step, "epoch": step / 10, "validation_loss": 2 / step, "time": 1000.5 + step})
    return found


def write_lines(evidence: Path, found: list[dict[str, Any]], mode: str = "w") -> None:
    """As the hook does: all anew, or some more."""
    with (evidence / "metrics.jsonl").open(mode, encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in found)


def make_evidence(root: Path, found: list[dict[str, Any]], status: str = "finished") -> Path:
    """The folder of a run, with what its sender reads."""
    evidence = root / "experiments" / "tiny" / RUN
    (evidence / "evaluation").mkdir(parents=True)
    (evidence / "track").mkdir()
    (evidence / "config.yaml").write_text("name: tiny\ntrain: {seed: 1, betas: [0.9, 0.99]}\n", encoding="utf-8")
    comparison = {"metrics": [{"name": "rougeL", "values": {"base": 0.1, "tuned": 0.25}}]}
    (evidence / "evaluation/comparison.json").write_text(json.dumps(comparison), encoding="utf-8")
    (evidence / "training_stats.json").write_text('{"versions": {"torch": "2.x"}}', encoding="utf-8")
    (evidence / "manifest.json").write_text(json.dumps({"status": status, "fingerprint": "f" * 64}), encoding="utf-8")
    (evidence / "run.log").write_text("a log is not sent", encoding="utf-8")
    write_lines(evidence, found)
    return evidence


class Said(Silent):
    """A reporter that keeps what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Gone:
    """A starter that is done: one pass, and the end."""

    gone = True

    def wait(self, seconds: float) -> bool:
        return True


class There:
    """A starter that stays for so many looks."""

    def __init__(self, looks: int) -> None:
        self.left, self.gone = looks, False

    def wait(self, seconds: float) -> bool:
        self.left -= 1
        self.gone = self.left < 0
        return self.gone


class Tracker:
    """A sink of the family's contract without a package. `fail` is asked before each call; it may raise."""

    EXTRA = PACKAGE = "json"

    def __init__(self, lasting: bool = True) -> None:
        self.lasting, self.points, self.files = lasting, [], []  # type: ignore[var-annotated]
        self.params: dict[str, str] = {}
        self.status, self.tags, self.opened, self.calls = "", {}, 0, 0  # type: ignore[var-annotated]
        self.fails: set[int] = set()
        self.ended = 0.0

    def called(self) -> None:
        self.calls += 1
        if self.calls in self.fails:
            raise ConnectionResetError("the tracker said hf_canaryABCDEFGHIJ0123456 no")

    def check(self, settings: MemberSettings) -> None:
        """Fine."""

    def place(self, settings: MemberSettings) -> str:
        return "here"

    def server(self, settings: MemberSettings) -> str | None:
        return None

    def quiet(self) -> dict[str, str]:
        return {}

    def open(self, settings: MemberSettings, told: Told, memory: dict[str, Any]) -> Session:
        self.called()
        self.opened += 1
        return _Session(self, told, memory)

    def steps(self, name: str) -> list[int]:
        """At which steps there is a value of that name."""
        return [point.step for point in self.points if name in point.values]


class _Session(Session):
    def __init__(self, tracker: Tracker, told: Told, memory: dict[str, Any]) -> None:
        super().__init__({"run": "7"}, fresh=memory.get("run") != "7", lasting=tracker.lasting)
        self.tracker, self.told, self.taken = tracker, told, []  # type: ignore[var-annotated]

    def params(self, values: Mapping[str, str]) -> None:
        self.tracker.called()
        self.tracker.params = dict(values)

    def metrics(self, points: Sequence[Point]) -> None:
        self.tracker.called()
        (self.tracker.points if self.lasting else self.taken).extend(points)

    def artifact(self, path: Path, name: str) -> None:
        self.tracker.called()
        assert path.is_file()
        self.tracker.files.append(name)

    def close(self, status: Status, tags: Mapping[str, str], ended: float) -> None:
        self.tracker.called()
        self.tracker.points.extend(self.taken)
        self.tracker.status, self.tracker.tags, self.tracker.ended = status, dict(tags), ended


SETTINGS = {"type": "tensorboard"}


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> Tracker:
    """In the place of the package that the settings name."""
    made = Tracker()
    monkeypatch.setattr(type(sender.SINKS), "of", lambda family, settings: made)
    monkeypatch.setattr(sender.time, "sleep", lambda seconds: None)
    return made


def begin(evidence: Path) -> Position:
    """A tracker that has nothing yet."""
    position = Position(dict(SETTINGS), "here")
    position.write(evidence)
    return position


def words_of(pid: int) -> bytes:
    """The arguments of a process that was just started: Linux shows none for a moment after `exec`."""
    for _ in range(1000):
        try:
            if found := Path(f"/proc/{pid}/cmdline").read_bytes():
                return found
        except OSError:
            break
        time.sleep(0.001)
    return b""
