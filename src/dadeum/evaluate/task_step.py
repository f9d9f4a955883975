"""Tasks within an evaluation: rows before anything is generated, scores after, a file a task and model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.fingerprint import sha256_file
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.evaluate.elsewhere import file_of
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.task import AnyTask, HarnessTask, Task


@dataclass(frozen=True)
class Beside:
    """The tasks of an evaluation; `trusted` as `model.trust_remote_code`."""

    tasks: Sequence[AnyTask]
    workspace: Workspace
    trusted: bool = False


@dataclass(frozen=True)
class Ready:
    """A task with its rows: `rows` of ours, or a `Prepared` of lm-eval."""

    task: AnyTask
    rows: Any


def prepare(beside: Beside, engine: Any, settings: EvaluateSettings, reporter: Reporter) -> list[Ready]:
    """Read the rows of all tasks. Raises what stops one of them, before anything is generated."""
    found = []
    for task in beside.tasks:
        if isinstance(task, HarnessTask):
            from dadeum.evaluate.harness import Prepared

            found.append(Ready(task, Prepared.of(task, trusted=beside.trusted)))
        else:
            from dadeum.evaluate.task_rows import read_task

            rows = read_task(task, engine.renderer, beside.workspace, reporter, seed=settings.seed)
            found.append(Ready(task, rows))
    return found


def score(ready: Ready, engine: Any, settings: EvaluateSettings, reporter: Reporter) -> EvaluationResult:
    """One model on one task."""
    if isinstance(ready.task, HarnessTask):
        found: EvaluationResult = ready.rows.score(engine, settings, reporter)
        return found
    from dadeum.evaluate.score import evaluate

    task, rows = ready.task, ready.rows
    own = settings.model_copy(
        update={"metrics": task.settings.metrics, "max_new_tokens": task.settings.max_new_tokens, "limit": None}
    )
    found = evaluate(engine, rows.rows, own, dataset=task.name, reporter=reporter, few_shot=rows.few_shot)
    return replace(found, environment={**found.environment, "task": _facts(task, rows)})


def _facts(task: Task, rows: Any) -> dict[str, Any]:
    return {
        "name": task.name,
        "sha256": sha256_file(task.file),
        "shots": task.settings.shots,
        "limit": task.settings.limit,
        "rows": rows.found,
        "dropped": rows.dropped,
    }


def score_all(
    ready: Sequence[Ready], engine: Any, kind: str, *, out: Path, settings: EvaluateSettings, reporter: Reporter
) -> list[Path]:
    """One model on all tasks, into `out/tasks/<task>/<kind>.json`; returns the files."""
    written = []
    for one in ready:
        result = score(one, engine, settings, reporter)
        path = file_of(out, one.task.folder, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        written.append(result.write(path))
        tell(result, reporter)
    return written


def tell(result: EvaluationResult, reporter: Reporter) -> None:
    """What is to be known of the scores."""
    for note in result.notes:
        reporter.note(note)
