"""How far a run's evidence was sent to one tracker: `track/<type>.json` beside it. The evidence itself is the queue."""

import json
import math
import os
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from dadeum.core.artifact import write_json
from dadeum.core.fingerprint import fingerprint
from dadeum.core.secrets import redacted
from dadeum.track.session import Point

FOLDER, METRICS, RECORD = "track", "metrics.jsonl", "manifest.json"
COMPARISON = "evaluation/comparison.json"
VALIDATION = "validation_loss"
BESIDE = {"step"}  # no value of a curve
AT_ONCE = 200  # lines given to a tracker in one call
LARGEST = 64_000_000  # bytes of a file that is sent
NOT_SENT = {FOLDER, "tensorboard"}


@dataclass
class Position:
    """What one tracker has. Written after every call that it took; steps are counted, not bytes, since a resumed run
    writes its lines after the checkpoint again."""

    settings: dict[str, Any]
    place: str = ""
    memory: dict[str, Any] = field(default_factory=dict)
    training: int = -1  # the last step whose line is there
    validation: int = -1
    params: str = ""  # fingerprint of the settings that are there
    files: dict[str, list[int]] = field(default_factory=dict)  # name: size and time of change of what is there
    status: str = ""
    error: str = ""
    updated: float = 0.0

    @property
    def type(self) -> str:
        """The tracker."""
        return str(self.settings["type"])

    def forget(self) -> None:
        """The tracker knows nothing of the run: all is sent."""
        self.training, self.validation, self.params, self.files, self.status = -1, -1, "", {}, ""

    def write(self, evidence: Path) -> None:
        """Whole or not at all, and never with a secret: an error may quote what a server said."""
        self.updated = time.time()
        write_json(file_of(evidence, self.type), redacted(asdict(self)))

    def missing(self, line: Mapping[str, Any]) -> bool:
        """Whether the tracker lacks a line of the metrics."""
        return bool(line["step"] > (self.validation if VALIDATION in line else self.training))

    def note(self, line: Mapping[str, Any]) -> None:
        """The tracker has this line, and so all of its kind before it."""
        if VALIDATION in line:
            self.validation = max(self.validation, line["step"])
        else:
            self.training = max(self.training, line["step"])


def file_of(evidence: Path, kind: str) -> Path:
    """Where the position of a tracker is kept."""
    return evidence / FOLDER / f"{kind}.json"


def read_position(evidence: Path, kind: str) -> Position | None:
    """None where nothing was to be sent there, or its file is damaged: then all is sent again."""
    try:
        return Position(**json.loads(file_of(evidence, kind).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def positions(evidence: Path) -> list[Position]:
    """Of all trackers that the run was sent to."""
    files = sorted((evidence / FOLDER).glob("*.json"))
    return [found for file in files if (found := read_position(evidence, file.stem)) is not None]


def tracked_runs(workspace: Path) -> list[Path]:
    """Evidence folders of runs that were to be sent anywhere, oldest first."""
    return sorted({f.parents[1] for f in workspace.glob(f"experiments/*/*/{FOLDER}/*.json")}, key=lambda f: f.name)


@dataclass
class Tail:
    """The lines of `metrics.jsonl` as they come. A file that was written anew is read from its beginning."""

    path: Path
    offset: int = 0
    inode: int = 0

    def read(self) -> list[dict[str, Any]]:
        """The next lines that are whole, at most `AT_ONCE`; damaged ones are passed over."""
        try:
            with self.path.open("rb") as file:
                stat = os.fstat(file.fileno())
                if stat.st_ino != self.inode or stat.st_size < self.offset:
                    self.offset, self.inode = 0, stat.st_ino
                file.seek(self.offset)
                found = []
                for raw in islice(file, AT_ONCE):
                    if not raw.endswith(b"\n"):
                        break
                    self.offset += len(raw)
                    line = _line(raw)
                    if line is not None:
                        found.append(line)
                return found
        except FileNotFoundError:
            return []

    @property
    def ended(self) -> bool:
        """Whether no whole line is left; one without its end is being written, or was cut by a kill."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                return not file.readline().endswith(b"\n")
        except FileNotFoundError:
            return True


def _line(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) and type(line.get("step")) is int else None


def point_of(line: Mapping[str, Any], started: float) -> Point:
    """A line as a point; lines from before they had a time get one that never changes."""
    moment = line.get("time")
    known = isinstance(moment, int | float) and math.isfinite(moment)
    return Point(line["step"], float(moment) if known else started + line["step"], numbers(line))  # type: ignore[arg-type]


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """What can be drawn."""
    return {
        name: float(value)
        for name, value in values.items()
        if name not in BESIDE | {"time"}
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    }


def files_of(evidence: Path) -> Iterator[tuple[str, Path, list[int]]]:
    """Name, path, size and time of every file that belongs to the run's evidence: no logs, no queue, nothing hidden."""
    for path in sorted(evidence.rglob("*")):
        name = path.relative_to(evidence)
        left_out = name.parts[0] in NOT_SENT or any(part.startswith(".") for part in name.parts)
        if left_out or path.is_symlink() or not path.is_file() or path.suffix == ".log":
            continue
        if name.as_posix() in (METRICS, RECORD) or path.stat().st_size > LARGEST:
            continue
        stat = path.stat()
        yield name.as_posix(), path, [stat.st_size, stat.st_mtime_ns]


def scores(evidence: Path) -> dict[str, float]:
    """The values of the comparison: `evaluation/<model>/<metric>`."""
    try:
        found = json.loads((evidence / COMPARISON).read_text(encoding="utf-8"))
        values = {
            f"evaluation/{model}/{metric['name']}": value
            for metric in found["metrics"]
            for model, value in metric["values"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return numbers(values)


def unsent(evidence: Path, position: Position) -> tuple[int, int]:
    """Lines and files that the tracker lacks."""
    tail, lines = Tail(evidence / METRICS), 0
    while not tail.ended:
        lines += sum(map(position.missing, tail.read()))
    return lines, sum(position.files.get(name) != stamp for name, _, stamp in files_of(evidence))


def identity_of(evidence: Path) -> str:
    """One word for a run that no other has, on any machine."""
    return fingerprint(socket.gethostname(), str(evidence.resolve()))[:32]


def started_at(run: str) -> float:
    """When the run began, by its name; never another time for the same run."""
    try:
        return time.mktime(time.strptime(run[:15], "%Y%m%d-%H%M%S"))
    except ValueError:
        return 0.0
