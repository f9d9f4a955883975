"""`dadeum eval --task`: any model on any tasks, without a run of its own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dadeum.config.evaluate import EvaluateSettings, TaskChoice
from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.log import open_log
from dadeum.core.workspace import Workspace
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.step import ModelAt, score_tasks
from dadeum.evaluate.task import HARNESS, open_tasks
from dadeum.evaluate.task_step import Beside
from dadeum.run.execute import Board, execute
from dadeum.run.models import base_of
from dadeum.run.stages import Lab
from dadeum.run.store import find_model
from dadeum.run.works import before_training, model_at


@dataclass(frozen=True)
class Wanted:
    """What is asked: tasks by name, and what holds for all of them."""

    tasks: tuple[str, ...]
    limit: int | None = None
    shots: int | None = None
    chat_template: bool = False
    include_path: str | None = None
    trusted: bool = False

    def settings(self, given: EvaluateSettings) -> EvaluateSettings:
        """The settings of an evaluation of these tasks and no others. Raises ConfigError for two of one name."""
        chosen = tuple(
            TaskChoice(
                task=name,
                limit=self.limit,
                shots=self.shots,
                chat_template=True if self.chat_template and name.startswith(HARNESS) else None,
            )
            for name in self.tasks
        )
        return given.model_copy(update={"tasks": chosen, "task_path": self.include_path or given.task_path})


def score_model(model: str | None, wanted: Wanted, *, out: Path | None, board: Board) -> tuple[Path, list[Path]]:
    """A run, a folder or a Hub model (default: the last finished run); returns the folder and a file a task."""
    workspace = Workspace.here()
    settings = wanted.settings(EvaluateSettings())
    beside = Beside(open_tasks(settings, workspace), workspace, wanted.trusted)
    name, place = find_model(workspace, model)
    at = ModelAt(place, base=base_of(place, workspace), trusted=wanted.trusted)
    return _score(at, name, beside, settings, out, workspace, board)


def score_experiment(
    lab: Lab, kind: Literal["base", "tuned"], wanted: Wanted, *, out: Path | None, board: Board
) -> tuple[Path, list[Path]]:
    """The base or the tuned model of an experiment, under its prompt; what it needs is made first."""
    settings = wanted.settings(lab.experiment.evaluate)
    trusted = wanted.trusted or lab.experiment.model.trust_remote_code
    beside = Beside(open_tasks(settings, lab.workspace), lab.workspace, trusted)
    outcome = execute(lab, board, before_training(lab) if kind == "base" else ["train"])
    run: Any = outcome.run  # of a base there may be none, and none is asked for
    at = model_at(lab, outcome.plan, run, kind)
    name = lab.experiment.name if kind == "tuned" else Path(lab.experiment.model.name_or_path or "base").name
    return _score(at, name, beside, settings, out, lab.workspace, board)


def _score(
    at: ModelAt,
    name: str,
    beside: Beside,
    settings: EvaluateSettings,
    out: Path | None,
    workspace: Workspace,
    board: Board,
) -> tuple[Path, list[Path]]:
    from dadeum.evaluate.task import download

    stamp = time.strftime("%Y%m%d_%H%M%S")
    folder = workspace.root / "experiments" / "evaluations" / stamp if out is None else workspace.at(str(out))
    if folder.exists() and not folder.is_dir():
        raise ConfigError(say(f"{folder}: is a file, expected a folder", f"{folder}: 파일입니다. 폴더여야 합니다"))
    download(beside.tasks, workspace, board)
    open_log(folder, "evaluation")
    return folder, score_tasks(at, name, beside, out=folder, settings=settings, reporter=board)


def rows(files: Sequence[Path]) -> list[dict[str, Any]]:
    """A row a task and metric: task, metric, value, standard error, interval, n."""
    found = []
    for file in files:
        result = EvaluationResult.read(file)
        found += [{"task": file.stem, "name": name, **metric} for name, metric in result.metrics.items()]
    return found
