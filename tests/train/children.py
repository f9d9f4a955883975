"""Trainings in processes of their own, which may be killed. Children are forked from a server that has imported torch
once and has done nothing with it."""

import contextlib
import json
import multiprocessing
import os
import random
import socket
import time
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from dadeum.train.job import TrainJob

PRELOAD = [
    "torch",
    "peft",
    "transformers.models.llama.modeling_llama",
    "accelerate",
    "dadeum.data.contract",
    "dadeum.data.samples",
    "dadeum.train.step",
    "dadeum.train.loop",
    "dadeum.train.state",
    "dadeum.train.batch_size",
]
TIMEOUT = 600


def _train(job: TrainJob, environment: Mapping[str, str], out: str, threads: int) -> None:
    os.environ.update({"DADEUM_LANG": "en", **environment})
    import torch

    from dadeum.core.errors import DadeumError
    from dadeum.core.progress import Silent
    from dadeum.train.step import train

    torch.set_num_threads(threads)
    if "DADEUM_TEST_HANG" in environment:
        _hang(out)
    code, told = 0, ""
    try:
        train(job, Silent())
    except DadeumError as error:
        code, told = error.exit_code, str(error)
    except BaseException:
        code, told = 1, traceback.format_exc()
    Path(out).write_text(json.dumps({"told": told}), encoding="utf-8")
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    os._exit(code)


def _hang(out: str) -> None:
    """The first forward pass never ends, and says so; so it does of a signal that came meanwhile."""
    from dadeum.train.hooks.signals import Signals
    from dadeum.train.loop import Loop

    receive = Signals._receive

    def heard(self: Signals, number: int, frame: Any) -> None:
        receive(self, number, frame)
        Path(f"{out}.heard").touch()

    Signals._receive = heard  # type: ignore[method-assign]

    def compute(self: Loop, model: Any, batch: Any) -> Any:
        Path(f"{out}.hangs").touch()
        while True:
            time.sleep(0.01)

    Loop.compute = compute  # type: ignore[method-assign]


def start(job: TrainJob, out: Path, environment: Mapping[str, str] = {}, threads: int = 1) -> ForkServerProcess:
    """A training on its way; what it said at the end is in `out`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    child = context.Process(target=_train, args=(job, dict(environment), str(out), threads))
    child.start()
    return child


def wait(children: Sequence[ForkServerProcess]) -> list[int]:
    """Exit codes; a killed child has the negative number of its signal."""
    for child in children:
        child.join(TIMEOUT)
        if child.exitcode is None:
            child.kill()
            raise TimeoutError(f"training did not end within {TIMEOUT} s")
    return [int(child.exitcode or 0) for child in children]


def run(job: TrainJob, out: Path, fault: str = "", threads: int = 1) -> tuple[int, str]:
    """Exit code, and the last words."""
    out.unlink(missing_ok=True)
    code = wait([start(job, out, {"DADEUM_FAULT_POINT": fault} if fault else {}, threads)])[0]
    return code, said(out)


def said(out: Path) -> str:
    """The last words of a child; nothing where it was killed."""
    with contextlib.suppress(FileNotFoundError):
        return str(json.loads(out.read_text(encoding="utf-8"))["told"])
    return ""


def _free_port() -> int:
    """One that the system gives to nobody who does not ask for it by number, so it is still free when it is taken."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as free:
            free.bind(("127.0.0.1", port))
            return port


def together(
    job: TrainJob, root: Path, world_size: int = 2, environment: Mapping[str, str] = {}
) -> list[ForkServerProcess]:
    """The same training as several processes on gloo."""
    port = _free_port()
    common: dict[str, Any] = {
        "WORLD_SIZE": str(world_size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "ACCELERATE_USE_CPU": "true",
    }
    return [
        start(job, root / f"said-{rank}.json", {**environment, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(world_size)
    ]
