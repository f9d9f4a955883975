"""The tasks of an experiment: what is asked beside its test rows, and what that is made from."""

from itertools import chain
from pathlib import Path
from typing import Any

from dadeum.config.experiment import Experiment
from dadeum.core.fingerprint import sha256_file, version
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.evaluate.judge import ready
from dadeum.evaluate.metrics import METRICS
from dadeum.evaluate.task import AnyTask, Task, download, made_from, open_tasks
from dadeum.evaluate.task_step import Beside
from dadeum.model.heads import HEADS
from dadeum.run.inputs import HASHES, model_hash


def tasks_of(experiment: Experiment, workspace: Workspace) -> list[AnyTask]:
    """The tasks of the experiment; none for a model that writes no text. Raises ConfigError as `open_tasks`."""
    return open_tasks(experiment.evaluate, workspace) if _writes(experiment) else []


def _writes(experiment: Experiment) -> bool:
    return bool(HEADS.of(experiment.head).gives == "tokens")


def task_facts(experiment: Experiment, workspace: Workspace) -> dict[str, str | None]:
    """What their scores are made from besides the model; None of a task whose rows have to be fetched first."""
    return made_from(tasks_of(experiment, workspace), workspace)


def measured_with(experiment: Experiment, workspace: Workspace) -> dict[str, str | None]:
    """What the metrics' scores are made with besides their settings: versions of packages, hashes of files and models."""
    found: dict[str, str | None] = {}
    ours = [task.settings.metrics for task in tasks_of(experiment, workspace) if isinstance(task, Task)]
    for metric in chain(experiment.evaluate.metrics, *ours):
        member: Any = METRICS.of(metric)
        found |= {f"{name} version": version(name) for name in getattr(member, "PACKAGES", ())}
        if hasattr(member, "files"):
            found |= {f"{metric.type}: {path}": _hashed(path, workspace) for path in member.files(metric)}
    return found


def _hashed(path: Path, workspace: Workspace) -> str | None:
    """None of what is not there: the metric itself tells of it."""
    if path.is_dir():
        return model_hash(path, workspace.processed / HASHES) if (path / "config.json").is_file() else None
    return sha256_file(path) if path.is_file() else None


def fetch_tasks(experiment: Experiment, workspace: Workspace, reporter: Reporter) -> list[Path]:
    """Fetch the rows of tasks that lie on the Hub."""
    return download(tasks_of(experiment, workspace), workspace, reporter)


def beside_of(experiment: Experiment, workspace: Workspace) -> Beside:
    """What an evaluation asks besides. Raises MissingExtra where a judge is wanted that cannot be asked later."""
    ready(experiment.evaluate.judge)
    return Beside(open_tasks(experiment.evaluate, workspace), workspace, experiment.model.trust_remote_code)
