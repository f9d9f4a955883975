"""The tasks of an experiment: what is asked beside its test rows, and what that is made from."""

from pathlib import Path

from dadeum.config.experiment import Experiment
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.evaluate.judge import ready
from dadeum.evaluate.task import AnyTask, download, made_from, open_tasks
from dadeum.evaluate.task_step import Beside
from dadeum.model.heads import HEADS


def tasks_of(experiment: Experiment, workspace: Workspace) -> list[AnyTask]:
    """The tasks of the experiment; none for a model that writes no text. Raises ConfigError as `open_tasks`."""
    return open_tasks(experiment.evaluate, workspace) if _writes(experiment) else []


def _writes(experiment: Experiment) -> bool:
    return bool(HEADS.of(experiment.head).gives == "tokens")


def task_facts(experiment: Experiment, workspace: Workspace) -> dict[str, str | None]:
    """What their scores are made from besides the model; None of a task whose rows have to be fetched first."""
    return made_from(tasks_of(experiment, workspace), workspace)


def fetch_tasks(experiment: Experiment, workspace: Workspace, reporter: Reporter) -> list[Path]:
    """Fetch the rows of tasks that lie on the Hub."""
    return download(tasks_of(experiment, workspace), workspace, reporter)


def beside_of(experiment: Experiment, workspace: Workspace) -> Beside:
    """What an evaluation asks besides. Raises MissingExtra where a judge is wanted that cannot be asked later."""
    ready(experiment.evaluate.judge)
    return Beside(open_tasks(experiment.evaluate, workspace), workspace, experiment.model.trust_remote_code)
