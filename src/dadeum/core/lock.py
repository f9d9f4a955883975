"""One process at a time in a run's folder: a lock file with process and host, taken over when its holder is dead."""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from dadeum.core.errors import ArtifactError
from dadeum.core.language import say

LOCK = ".lock"


def _started(pid: int) -> str:
    """When the process started (a reused number is another process); empty where the system does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def _alive(holder: dict[str, object]) -> bool:
    if holder.get("host") != socket.gethostname():
        return True
    try:
        pid = int(str(holder.get("pid")))
        os.kill(pid, 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return not holder.get("started") or _started(pid) == holder["started"]


def _take(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    me = {"pid": os.getpid(), "host": socket.gethostname(), "started": _started(os.getpid())}
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(me, file)
    return True


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` alone. Raises ArtifactError that names the holder while another living process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    while not _take(path):
        try:
            holder = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            holder = {}
        if holder and _alive(holder):
            raise ArtifactError(
                say(
                    f"{folder}: in use by process {holder.get('pid')} on {holder.get('host')}; wait for it, or stop it",
                    f"{folder}: {holder.get('host')}의 프로세스 {holder.get('pid')}이(가) 쓰고 있습니다. 끝나기를 기다리거나 멈추세요",
                )
            )
        path.unlink(missing_ok=True)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
