"""A workspace in which everything takes a second: sixty rows, a byte-level tokenizer, a random Llama of two layers."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dadeum.cli.lab import open_lab
from dadeum.core.artifact import read_json, read_manifest
from dadeum.run.stages import Lab, Plan, make_plan
from dadeum.run.store import Run, runs
from tests.data.small import TEMPLATE, make_tokenizer

NAME = "tiny"
LLAMA = (
    "{model_type: llama, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 4, "
    "num_key_value_heads: 2, max_position_embeddings: 256}"
)
# 15 lines: what the issue allows.
YAML = f"""\
name: {NAME}
model:
  init: random
  config: {LLAMA}
tokenizer: {{name_or_path: tokenizer}}
adapter: {{type: lora, r: 4, lora_alpha: 8, lora_dropout: 0.1}}
data:
  sources: [{{type: csv, path: rows.csv}}]
  split: {{validation: 0.1, test: 0.1}}
  max_length: 128
train: {{num_train_epochs: 1, total_train_batch_size: 8, learning_rate: 0.01, save_steps: 2, logging_steps: 1}}
evaluate:
  metrics: [perplexity, bits_per_byte, chrf, rouge_char, exact_match]
  max_new_tokens: 8
  limit: 4
"""
ROWS = 60


def rows(count: int = ROWS) -> str:
    """Questions and answers, all different."""
    return "question,answer\n" + "".join(
        f"{n}번 질문은 무엇인가요?,{n}번의 답은 {n * 7}입니다.\n" for n in range(count)
    )


def make_workspace(root: Path) -> Path:
    """The folder of a person who has written an experiment and run nothing."""
    (root / "configs").mkdir(parents=True)
    (root / "configs" / f"{NAME}.yaml").write_text(YAML, encoding="utf-8")
    (root / "rows.csv").write_text(rows(), encoding="utf-8")
    make_tokenizer(root / "tokenizer", TEMPLATE)
    return root


@dataclass(frozen=True)
class Said:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The `error:` lines."""
        return [line for line in self.err.splitlines() if line.startswith("error:")]


@contextlib.contextmanager
def inside(root: Path) -> Iterator[None]:
    """The current folder is the workspace meanwhile."""
    before = Path.cwd()
    os.chdir(root)
    try:
        yield
    finally:
        os.chdir(before)


class _Input(io.StringIO):
    def isatty(self) -> bool:
        return False


def cli(root: Path, *words: str, typed: str = "") -> Said:
    """`dadeum WORDS` in the workspace, in this process, with `typed` on a pipe."""
    from dadeum.cli.app import main

    out, err, stdin = io.StringIO(), io.StringIO(), sys.stdin
    code = 0
    sys.stdin = _Input(typed)
    try:
        with (
            inside(root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            warnings.catch_warnings(),
        ):
            # A copied workspace has its base elsewhere, which PEFT remarks on.
            warnings.filterwarnings("ignore", "The PEFT config's `base_model_name_or_path` was renamed")
            try:
                main(list(words))
            except SystemExit as leaving:
                code = int(leaving.code or 0)
    finally:
        sys.stdin = stdin
    return Said(code, out.getvalue(), err.getvalue())


def fine(root: Path, *words: str, typed: str = "") -> Said:
    """`cli`, and it must end with 0."""
    said = cli(root, *words, typed=typed)
    assert said.code == 0, f"{words}: {said}"
    return said


def child(
    root: Path, *words: str, environment: dict[str, str] | None = None, program: Sequence[str] = ("-m", "dadeum")
) -> subprocess.CompletedProcess[bytes]:
    """`python -m dadeum WORDS` in a process of its own with one thread."""
    return subprocess.run(
        [sys.executable, *program, *words],
        cwd=root,
        env=child_environment(environment),
        capture_output=True,
        timeout=600,
        check=False,
    )


def child_environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """What a process of its own finds; one thread, since the thread count is a condition of a run."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "DADEUM_LANG": "en", **(more or {})}


def copy(workspace: Path, to: Path) -> Path:
    """A workspace of its own: the same files elsewhere."""
    shutil.copytree(workspace, to, symlinks=True)
    return to


def lab_of(root: Path, *overrides: str) -> Lab:
    """The experiment of the workspace."""
    with inside(root):
        return open_lab(NAME, overrides)


def plan_of(root: Path, *overrides: str) -> Plan:
    """What would be done."""
    return make_plan(lab_of(root, *overrides))


def stale(root: Path, *overrides: str) -> list[str]:
    """The steps that are not fresh."""
    return [step.name for step in plan_of(root, *overrides).steps if not step.fresh]


def runs_of(root: Path, name: str = NAME) -> list[Run]:
    """The runs of an experiment."""
    from dadeum.core.workspace import Workspace

    return runs(Workspace(root), name)


def finished_at(root: Path) -> dict[str, float]:
    """When each stage of the newest run was finished."""
    stages: dict[str, Any] = runs_of(root)[-1].record()["stages"]
    return {name: record["finished"] for name, record in stages.items()}


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file and its bytes."""
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def whole_artifacts(root: Path) -> None:
    """Nothing under the workspace looks whole and is not: no folder aside, each manifest true."""
    from dadeum.core.artifact import ASIDE, damage

    assert not list(root.rglob(f"{ASIDE}*"))
    for path in root.rglob("manifest.json"):
        manifest = read_manifest(path.parent)
        if manifest is None:
            assert "stages" in read_json(path), path  # a run's record
        else:
            assert damage(path.parent, manifest) is None, path


_MADE: dict[str, Path] = {}


@pytest.fixture(scope="session")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose experiment was run to its end. Made once for a process; nobody changes it."""
    if "done" not in _MADE:
        import torch

        torch.set_num_threads(1)
        root = make_workspace(tmp_path_factory.mktemp("lab") / "done")
        fine(root, "run", NAME)
        _MADE["done"] = root
    return _MADE["done"]


@pytest.fixture
def ran(done: Path, tmp_path: Path) -> Path:
    """A copy of `done` to change."""
    return copy(done, tmp_path / "ran")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A workspace in which nothing was run yet."""
    return make_workspace(tmp_path / "written")


def broken_at(monkeypatch: pytest.MonkeyPatch, name: str, count: int, error: BaseException) -> None:
    """Raise `error` when the named point is passed for the `count`-th time."""
    passed = []

    def point(here: str) -> None:
        passed.append(here)
        if passed.count(name) == count and here == name:
            raise error

    for module in ("dadeum.core.faults", "dadeum.evaluate.step", "dadeum.export.step"):
        monkeypatch.setattr(f"{module}.point", point)


BASE, DATA = "someone/base", "someone/rows"
FROM_HUB = ("model={name_or_path: someone/base}", "tokenizer={}", "data.sources=[{type: hub, name: someone/rows}]")


@dataclass(frozen=True)
class FromHub:
    """A finished workspace whose base and rows are of the Hub, and what the Hub and the cache hold."""

    root: Path
    cache: Path
    files: dict[str, dict[str, bytes]]


@pytest.fixture(scope="session")
def from_hub(done: Path, tmp_path_factory: pytest.TempPathFactory) -> FromHub:
    """Made once for a process; nobody changes it."""
    from tests.hub_server import Hub, serve

    place = tmp_path_factory.mktemp("hub")
    root = make_workspace(place / "lab")
    (base,) = (done / "checkpoints" / NAME).glob("base-*")
    files = {
        f"models/{BASE}": {f.name: f.read_bytes() for f in base.iterdir() if f.name != "manifest.json"},
        f"datasets/{DATA}": {"rows.csv": (root / "rows.csv").read_bytes()},
    }
    with serve(Hub(files)) as hub, pytest.MonkeyPatch.context() as patched:
        patched.setenv("HF_ENDPOINT", hub.url)
        patched.setenv("HF_HUB_CACHE", str(place / "cache"))
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
            patched.delenv(name, raising=False)
        fine(root, "run", NAME, *FROM_HUB)
    return FromHub(root, place / "cache", files)
