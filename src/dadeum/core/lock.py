"""One process at a time in a run's folder: a lock file with process and host, taken over when its holder is dead.

Looking at the lock, judging its holder, and taking it happen under `flock` of the folder, which the system gives back
when a process dies: of several that find a stale lock, one takes it.
"""

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dadeum.core.artifact import write_text
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say

LOCK = ".lock"


def _started(pid: int) -> str:
    """When the process started (a reused number is another process); empty where the system does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def _alive(holder: dict[str, Any]) -> bool:
    if holder.get("host") != socket.gethostname():
        return True
    try:
        pid = int(str(holder.get("pid")))
        os.kill(pid, 0)
    except (ValueError, OverflowError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return not holder.get("started") or _started(pid) == holder["started"]


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else looks at the lock of `folder` meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _holder(path: Path) -> dict[str, Any]:
    """Who holds the lock; empty where nobody does, or nobody can tell."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _in_use(folder: Path, path: Path, holder: dict[str, Any]) -> ArtifactError:
    pid, host = holder.get("pid"), holder.get("host")
    if host != socket.gethostname():
        return ArtifactError(
            say(
                f"{folder}: in use by process {pid} on {host}; wait for it, or delete {path} if that machine has stopped",
                f"{folder}: {host}의 프로세스 {pid}이(가) 쓰고 있습니다. 끝나기를 기다리거나, 그 컴퓨터가 멈췄다면 {path}을(를) 지우세요",
            )
        )
    return ArtifactError(
        say(
            f"{folder}: in use by process {pid} on {host}; wait for it, or stop it",
            f"{folder}: {host}의 프로세스 {pid}이(가) 쓰고 있습니다. 끝나기를 기다리거나 멈추세요",
        )
    )


@contextlib.contextmanager
def unheld(folder: Path) -> Iterator[None]:
    """Nobody takes `folder` meanwhile. Raises ArtifactError that names the holder while a living process has it."""
    with _alone(folder):
        holder = _holder(folder / LOCK)
        if holder and _alive(holder):
            raise _in_use(folder, folder / LOCK, holder)
        yield


def held(folder: Path) -> bool:
    """Whether a living process has `folder`, as far as its lock file tells."""
    holder = _holder(folder / LOCK)
    return bool(holder) and _alive(holder)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` alone. Raises ArtifactError that names the holder while another living process has it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    me = {"pid": os.getpid(), "host": socket.gethostname(), "started": _started(os.getpid())}
    with _alone(folder):
        holder = _holder(path)
        if holder and _alive(holder):
            raise _in_use(folder, path, holder)
        write_text(path, json.dumps(me))
    try:
        yield
    finally:
        with _alone(folder):
            if _holder(path) == me:
                path.unlink(missing_ok=True)
