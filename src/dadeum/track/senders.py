"""The senders of a run, as the process that makes the run knows them: it starts them, and at the end waits a little.

No call here goes to a tracker or imports one's package: children do that, and follow the files of the evidence.
"""

import contextlib
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dadeum.core.errors import MissingExtra
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.settings import MemberSettings
from dadeum.track.position import FOLDER, Position, read_position, unsent
from dadeum.track.sinks import SINKS

logger = logging.getLogger("dadeum")
WAIT = 10.0  # seconds at the end of a run, for all trackers together


def ready(track: Sequence[MemberSettings]) -> None:
    """Raises MissingExtra or ConfigError for what can be known before anything runs."""
    for settings in track:
        sink = SINKS.of(settings)
        if importlib.util.find_spec(sink.PACKAGE) is None:
            how = f'pip install "dadeum[{sink.EXTRA}]"'
            raise MissingExtra(
                say(
                    f"track: {settings.type}: needs the package {sink.PACKAGE}, which is not installed: {how}",
                    f"track: {settings.type}: {sink.PACKAGE} 패키지가 필요한데 설치되어 있지 않습니다: {how}",
                )
            )
        sink.check(settings)


@dataclass(frozen=True)
class Left:
    """What a tracker lacks, and why."""

    type: str
    place: str
    lines: int
    files: int
    why: str

    def __str__(self) -> str:
        why = f": {self.why}" if self.why else ""
        return say(
            f"{self.type} ({self.place}) lacks {self.lines:,} lines and {self.files:,} files{why}",
            f"{self.type}({self.place})에 {self.lines:,}줄과 파일 {self.files:,}개를 보내지 못했습니다{why}",
        )


def lack(evidence: Path, kind: str) -> Left | None:
    """What the tracker of that type lacks of the run, or None."""
    position = read_position(evidence, kind)
    if position is None:
        return None
    lines, files = unsent(evidence, position)
    if not lines and not files and position.status not in ("", "running"):
        return None
    return Left(kind, position.place, lines, files, position.error)


class Senders:
    """One child for each tracker of a run."""

    def __init__(self, evidence: Path, kinds: Sequence[str]) -> None:
        self.evidence, self.kinds = evidence, tuple(kinds)
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """They run beside us, with less right to the processor, and hear no Ctrl-C that is meant for us.

        One that is running already is left as it is; one that was killed is started again.
        """
        for kind in self.kinds:
            if kind in self.children and self.children[kind].poll() is None:
                continue
            self.children[kind] = subprocess.Popen(
                [sys.executable, "-m", "dadeum.track.sender", str(self.evidence), kind],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def end(self) -> None:
        """Tell them that nothing more will come."""
        for child in self.children.values():
            if child.stdin is not None:
                child.stdin.close()

    def wait(self, seconds: float | None) -> bool:
        """Whether all have left, within so many seconds (None: however long they take; each of them gives up at some time)."""
        last = None if seconds is None else time.monotonic() + seconds
        while any(child.poll() is None for child in self.children.values()):
            if last is not None and time.monotonic() >= last:
                return False
            time.sleep(0.05)
        return True

    def stop(self) -> None:
        """None is left behind, nor what it started itself."""
        self.end()
        for child in self.children.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def lacking(self) -> list[Left]:
        """What was not sent."""
        return [left for kind in self.kinds if (left := lack(self.evidence, kind)) is not None]


def prepare(track: Sequence[MemberSettings], evidence: Path) -> None:
    """Note for each tracker where it is; another place than before knows nothing of the run."""
    (evidence / FOLDER).mkdir(mode=0o700, exist_ok=True)
    for settings in track:
        plain, where = settings.model_dump(mode="json"), SINKS.of(settings).place(settings)
        known = read_position(evidence, settings.type)
        if known is None or known.settings != plain or known.place != where:
            Position(plain, where).write(evidence)


@contextlib.contextmanager
def tracked(track: Sequence[MemberSettings], evidence: Path, reporter: Reporter) -> Iterator[None]:
    """What is written into `evidence` meanwhile is sent to the trackers. Whatever they do, it raises nothing of theirs."""
    if not track:
        yield
        return
    senders = Senders(evidence, [settings.type for settings in track])
    try:
        prepare(track, evidence)
        senders.start()
    except OSError as error:
        senders.stop()
        reporter.warn(_trouble(error))
        yield
        return
    try:
        yield
    finally:
        try:
            _finish(senders, reporter)
        except OSError as error:  # no process can be started, the disk is full: the run is done all the same
            reporter.warn(_trouble(error))


def _trouble(error: OSError) -> str:
    return say(f"track: nothing can be sent now ({error})", f"track: 지금은 보낼 수 없습니다 ({error})")


def _finish(senders: Senders, reporter: Reporter) -> None:
    """Wait a little, then tell once what is missing and how it is sent later."""
    try:
        senders.start()
        senders.end()
        if not senders.wait(0):
            reporter.start(say("sending to ", "보내는 중: ") + ", ".join(senders.kinds))
            senders.wait(WAIT)
    finally:
        senders.stop()
    left = senders.lacking()
    if left:
        run = senders.evidence.name
        reporter.warn(
            "; ".join(map(str, left))
            + say(
                f". All of it is in experiments/; `dadeum track send {run}` sends it",
                f". 모두 experiments/에 남아 있으며 `dadeum track send {run}`으로 보냅니다",
            )
        )


def catch_up(track: Sequence[MemberSettings], evidence: Path, reporter: Reporter) -> None:
    """Send what a finished run's trackers lack, if they lack anything."""
    if not track:
        return
    try:
        prepare(track, evidence)
        behind = [settings for settings in track if lack(evidence, settings.type) is not None]
    except OSError as error:
        reporter.warn(_trouble(error))
        return
    with tracked(behind, evidence, reporter):
        pass
