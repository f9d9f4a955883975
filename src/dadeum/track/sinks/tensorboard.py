"""TensorBoard: event files in the run's evidence, `experiments/<experiment>/<run>/tensorboard/`. Imports no torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from dadeum.core.settings import MemberSettings
from dadeum.track.session import Point, Session, Status, Told

EXTRA, PACKAGE = "tensorboard", "tensorboard"
FOLDER = "tensorboard"


class Settings(MemberSettings):
    """Has none: `tensorboard --logdir experiments` shows all runs."""

    type: Literal["tensorboard"] = "tensorboard"


def check(settings: Settings) -> None:
    """Nothing can be wrong."""


def place(settings: Settings) -> str:
    """Beside the run's evidence."""
    return f"{FOLDER}/"


def server(settings: Settings) -> str | None:
    """A file."""
    return None


def quiet() -> dict[str, str]:
    """It reports nothing."""
    return {"TF_CPP_MIN_LOG_LEVEL": "3"}


def open(settings: Settings, told: Told, memory: dict[str, Any]) -> Session:
    """One file a run. What was written after the last note of a killed sender is cut off, so nothing stands there twice."""
    folder = told.evidence / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / f"events.out.tfevents.{int(told.started):010d}.dadeum"
    known = int(memory.get("bytes", 0)) if path.is_file() else 0
    return _File(path, known if known <= (path.stat().st_size if path.is_file() else 0) else 0, told.started)


class _File(Session):
    def __init__(self, path: Path, known: int, started: float) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        super().__init__(memory={"bytes": known}, fresh=known == 0)
        self.path, self.started = path, started
        with path.open("r+b" if path.is_file() else "wb") as file:
            file.truncate(known)
        if not known:
            self._append([Event(wall_time=started, file_version="brain.Event:2")])

    def _append(self, events: Sequence[Any]) -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        with self.path.open("ab") as file:
            writer = RecordWriter(file)
            for event in events:
                writer.write(event.SerializeToString())
        self.memory = {"bytes": self.path.stat().st_size}

    def params(self, values: Mapping[str, str]) -> None:
        """A table, on the page of texts."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.plugins.text.summary_v2 import text_pb

        def cell(text: str) -> str:
            return text.replace("|", "\\|").replace("\n", " ")

        rows = [f"| {cell(name)} | {cell(text)} |" for name, text in values.items()]
        table = "\n".join(["| | |", "| --- | --- |", *rows])
        self._append([Event(wall_time=self.started, step=0, summary=text_pb("config", table))])

    def metrics(self, points: Sequence[Point]) -> None:
        """Scalars."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._append(
            [
                Event(
                    wall_time=point.time,
                    step=point.step,
                    summary=Summary(value=[Summary.Value(tag=n, simple_value=v) for n, v in point.values.items()]),
                )
                for point in points
            ]
        )

    def artifact(self, path: Path, name: str) -> None:
        """The files lie beside it already."""

    def close(self, status: Status, tags: Mapping[str, str], ended: float) -> None:
        """Every call closes the file."""
