"""`dadeum` in processes of their own, which may be killed. They are forked from a server that has imported torch."""

import io
import multiprocessing
import os
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

PRELOAD = [
    "torch",
    "peft",
    "transformers.models.llama.modeling_llama",
    "accelerate",
    "dadeum.cli.dispatch",
    "dadeum.run.execute",
    "dadeum.run.forecast",
    "dadeum.data.contract",
    "dadeum.data.samples",
    "dadeum.generate.engine",
    "dadeum.train.loop",
    "dadeum.train.state",
]
TIMEOUT = 600


@dataclass
class Child:
    """A process on its way, and where it speaks."""

    process: ForkServerProcess
    root: Path

    def wait(self) -> int:
        """The exit code; the negative number of the signal that killed it."""
        self.process.join(TIMEOUT)
        if self.process.exitcode is None:
            self.process.kill()
            raise TimeoutError(f"dadeum did not end within {TIMEOUT} s")
        return int(self.process.exitcode)

    @property
    def said(self) -> str:
        """Both streams."""
        return (self.root / ".said").read_text(encoding="utf-8")


def _dadeum(root: str, words: list[str], environment: dict[str, str]) -> None:
    os.chdir(root)
    os.environ.update({"DADEUM_LANG": "en", **environment})
    out = os.open(".said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.stdin = io.StringIO()
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    import torch

    torch.set_num_threads(1)
    code = 1
    try:
        from dadeum.cli.app import main

        main(words)
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def start(root: Path, *words: str, fault: str = "") -> Child:
    """`dadeum WORDS` in the workspace; `fault` names the point at which it is killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    environment = {"DADEUM_FAULT_POINT": fault} if fault else {}
    process = context.Process(target=_dadeum, args=(str(root), list(words), environment))
    process.start()
    return Child(process, root)


def run(root: Path, *words: str, fault: str = "") -> tuple[int, str]:
    """Exit code, and all that was said."""
    child = start(root, *words, fault=fault)
    return child.wait(), child.said
