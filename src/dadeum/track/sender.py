"""`python -m dadeum.track.sender EVIDENCE TYPE`: sends a run's evidence to one tracker, in a process of its own.

Whoever started it holds the other end of its standard input. While that is open it follows the evidence; when it closes,
because the run is over or because its process was killed, it sends what is left, tells how the run stands, and leaves. Each
call into a tracker's package has a deadline. Nothing is taken out of the evidence, so what was not sent is sent by the next one.
"""

import contextlib
import fcntl
import json
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from dadeum.core.errors import DadeumError
from dadeum.core.fingerprint import fingerprint
from dadeum.core.language import say
from dadeum.core.lock import LOCK, held
from dadeum.core.log import close_log, logger
from dadeum.core.secrets import redact, redacted
from dadeum.track import position as place
from dadeum.track.addresses import silence
from dadeum.track.position import Position, Tail
from dadeum.track.session import Point, Session, Status, Told
from dadeum.track.sinks import SINKS

OPENING, CALL = 120.0, 30.0  # seconds that a call may take; the first one imports a large package
LOOK = 1.0  # seconds between looks at the evidence
LONGEST = 30.0  # seconds between tries
TRIES_AFTER_END = 3
UNFINISHED = 75  # exit code: something was not sent
STATUS: dict[str, Status] = {"finished": "finished", "failed": "failed", "stopped": "killed"}


class Late(Exception):
    """A call into a tracker did not come back in time."""


class Starter:
    """Whoever started this process, by the pipe that is our standard input."""

    def __init__(self, stream: int = 0) -> None:
        self.stream, self.gone = stream, False

    def wait(self, seconds: float) -> bool:
        """Whether the starter is done, waiting for it as long as told."""
        if self.gone:
            time.sleep(seconds)
            return True
        if select.select([self.stream], [], [], seconds)[0]:
            self.gone = not os.read(self.stream, 4096)
        return self.gone


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raises Late in a call of Python that waits longer; one that does not even hear that ends the process."""

    def late(number: int, frame: Any) -> None:
        raise Late(say(f"no answer within {seconds:g} s", f"{seconds:g}초 안에 답이 없습니다"))

    before = signal.signal(signal.SIGALRM, late)
    deaf = threading.Timer(seconds + 10, os._exit, (UNFINISHED,))
    deaf.daemon = True
    deaf.start()
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        deaf.cancel()
        signal.signal(signal.SIGALRM, before)


def flattened(value: Any, prefix: str = "") -> dict[str, str]:
    """Every setting by its dotted key, as text."""
    if isinstance(value, dict) and value:
        pairs = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        pairs = [(str(i), item) for i, item in enumerate(value)]
    else:
        return {prefix: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
    found: dict[str, str] = {}
    for key, item in pairs:
        found |= flattened(item, f"{prefix}.{key}" if prefix else key)
    return found


def _json(path: Path) -> dict[str, Any]:
    """The mapping in a file; empty where there is none yet."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def told_of(evidence: Path) -> Told:
    """What trackers hear of a run, from the files of its evidence."""
    config: Any = {}
    if (evidence / "config.yaml").is_file():
        from dadeum.config.yaml import read_yaml

        config = redacted(read_yaml(evidence / "config.yaml").value or {})
    record, run = _json(evidence / place.RECORD), evidence.name
    tags = {"dadeum.experiment": evidence.parent.name, "dadeum.run": run}
    if record.get("fingerprint"):
        tags["dadeum.fingerprint"] = str(record["fingerprint"])
    return Told(
        workspace=evidence.parents[2],
        experiment=evidence.parent.name,
        run=run,
        evidence=evidence,
        config=flattened(config) if config else {},
        tags=tags,
        identity=place.identity_of(evidence),
        started=place.started_at(run),
    )


class Sender:
    """Brings one tracker up to date, again and again, until its starter is gone and nothing is left."""

    def __init__(self, evidence: Path, position: Position, starter: Starter) -> None:
        self.evidence, self.position, self.starter = evidence, position, starter
        self.settings = SINKS.validate(position.settings)
        self.sink: Any = SINKS.of(self.settings)
        self.session: Session | None = None
        self.tail = Tail(evidence / place.METRICS)

    def run(self) -> int:
        """0 when everything is there."""
        failed = 0
        while True:
            over = self.starter.wait(0)
            try:
                self.update(over)
                if over:
                    self._note("")
                    return 0
                failed = 0
            except Exception as error:
                failed = failed + 1
                self._fail(error)
                if self.starter.gone and (failed >= TRIES_AFTER_END or isinstance(error, DadeumError)):
                    return UNFINISHED
            if self.starter.wait(min(LONGEST, LOOK * 2**failed / (4 if over else 1))) and not over:
                failed = 0

    def update(self, over: bool) -> None:
        """Send what is new; at the end also files, scores, and how the run stands. Raises what the tracker raises."""
        told = told_of(self.evidence)
        if not told.config and not over:
            return
        session = self._opened(told)
        marked = fingerprint(dict(told.config))
        if self.position.params != marked:
            self._call(lambda: session.params(told.config))
            self.position.params = marked
            self._save(session)
        while not self.tail.ended:
            lines = [line for line in self.tail.read() if self.position.missing(line)]
            if lines:
                points = [place.point_of(line, told.started) for line in lines]
                self._call(lambda points=points: session.metrics(points))  # type: ignore[misc]
                for line in lines:
                    self.position.note(line)
                self._save(session)
        if over:
            self._close(session, told)

    def _close(self, session: Session, told: Told) -> None:
        for name, path, stamp in list(place.files_of(self.evidence)):
            if self.position.files.get(name) == stamp:
                continue
            if name == place.COMPARISON and (values := place.scores(self.evidence)):
                point = Point(max(0, self.position.training), stamp[1] // 1_000_000_000, values)
                self._call(lambda point=point: session.metrics([point]))  # type: ignore[misc]
            self._call(lambda path=path, name=name: session.artifact(path, name))  # type: ignore[misc]
            self.position.files[name] = stamp
            self._save(session)
        status = self._status()
        stats = _json(self.evidence / "training_stats.json")
        versions = {f"version.{name}": str(text) for name, text in stats.get("versions", {}).items()}
        record = self.evidence / place.RECORD  # written when the run ended, however much later this is
        ended = record.stat().st_mtime if record.is_file() else time.time()
        self._call(lambda: session.close(status, {"dadeum.status": status, **versions}, ended), OPENING)
        self.position.status, self.position.memory = status, session.memory
        self.session = None
        self.position.write(self.evidence)

    def _status(self) -> Status:
        """By the run's record; one that says no end was killed if its process is gone."""
        said = _json(self.evidence / place.RECORD).get("status")
        if said in STATUS:
            return STATUS[said]
        return "killed" if (self.evidence / LOCK).is_file() and not held(self.evidence) else "waiting"

    def _opened(self, told: Told) -> Session:
        if self.session is None:
            address = self.sink.server(self.settings)
            quiet = silence(address) if address is not None else None
            if quiet is not None:
                raise ConnectionError(quiet)
            memory = self.position.memory
            self.session = self._call(lambda: self.sink.open(self.settings, told, memory), OPENING)
            if self.session.fresh:
                self.position.forget()
            self.tail = Tail(self.evidence / place.METRICS)
            self.position.status = "running"
            self._save(self.session)
        return self.session

    def _call(self, work: Callable[[], Any], seconds: float = CALL) -> Any:
        with deadline(seconds):
            return work()

    def _save(self, session: Session) -> None:
        """Note what the tracker has; where its package only promises, that is noted at the end."""
        if session.lasting:
            self.position.memory = session.memory
            self.position.write(self.evidence)

    def _fail(self, error: Exception) -> None:
        """The next try begins with what was safe."""
        if self.session is not None and not self.session.lasting:
            self.position = place.read_position(self.evidence, self.position.type) or self.position
        self.session = None
        text = redact(str(error).strip() or type(error).__name__)
        logger.warning("%s", text, exc_info=None if isinstance(error, DadeumError | ConnectionError | Late) else error)
        self._note(text.splitlines()[0][:300])

    def _note(self, error: str) -> None:
        self.position.error = error
        self.position.write(self.evidence)


@contextlib.contextmanager
def alone(file: Path, starter: Starter) -> Iterator[bool]:
    """Whether no other sender is at this tracker; another one is waited for as long as the starter is there."""
    with file.open("a", encoding="utf-8") as held:
        while not _taken(held):
            if starter.wait(0.2):
                yield _taken(held)
                return
        yield True


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _log_to(path: Path) -> None:
    """What packages grumble goes to a file, without secrets; on the screen there is nobody to read it."""
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    path.chmod(0o600)

    class Plain(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return redact(super().format(record))

    handler.setFormatter(Plain("%(asctime)s %(levelname)s %(name)s %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    logger.addHandler(handler)


def main(words: list[str]) -> int:
    """The process."""
    evidence, kind = Path(words[0]).absolute(), words[1]
    with contextlib.suppress(OSError):
        os.nice(10)
    from dadeum.config.load import read_environment

    read_environment(evidence.parents[2])
    starter = Starter()
    with alone(evidence / place.FOLDER / f".{kind}.lock", starter) as first:
        position = place.read_position(evidence, kind)
        if not first or position is None:
            return UNFINISHED
        _log_to(evidence / place.FOLDER / f"{kind}.log")
        try:
            sender = Sender(evidence, position, starter)
            os.environ.update(sender.sink.quiet())
            return sender.run()
        finally:
            close_log()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    logging.shutdown()
    os._exit(code)  # a package's threads and exit handlers may wait for a server that never answers
