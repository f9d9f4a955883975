"""Tasks by name: what a user writes in `evaluate.tasks` becomes settings, rows come later (`task_rows.py`). No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dadeum.config.data import DataSettings
from dadeum.config.evaluate import EvaluateSettings, TaskChoice
from dadeum.config.problems import translate
from dadeum.config.task import TaskSettings
from dadeum.config.yaml import Problem, read_yaml
from dadeum.core.errors import ConfigError
from dadeum.core.fingerprint import fingerprint, sha256_file, sha256_folder, version
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.workspace import Workspace

SHIPPED = Path(__file__).parent / "tasks"
HARNESS = "lm-eval:"  # before the name of a task of the lm-eval package
OWN = "configs/tasks"  # where a workspace keeps tasks of its own, lm-eval's too


@dataclass(frozen=True)
class Task:
    """A task of ours: `name` as the user writes it, `file` with its settings, shots and limit as chosen."""

    name: str
    file: Path
    settings: TaskSettings

    @property
    def folder(self) -> str:
        """The folder of its results."""
        return folder_of(self.name)


@dataclass(frozen=True)
class HarnessTask:
    """A task or a group of lm-eval; `own` is the folder of the user's own ones where there is one."""

    name: str
    choice: TaskChoice
    own: Path | None

    @property
    def inner(self) -> str:
        """Its name there."""
        return self.name.removeprefix(HARNESS)

    @property
    def folder(self) -> str:
        """The folder of its results."""
        return folder_of(self.name)


AnyTask = Task | HarnessTask


def folder_of(name: str) -> str:
    """`configs/tasks/law.yaml` is `law`, `lm-eval:kobest_copa` is `lm-eval-kobest_copa`."""
    if name.startswith(HARNESS):
        return "lm-eval-" + name.removeprefix(HARNESS).replace("/", "-")
    return Path(name).stem if name.lower().endswith((".yaml", ".yml")) else name


def shipped() -> list[str]:
    """Names of the tasks that dadeum ships."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def open_tasks(settings: EvaluateSettings, workspace: Workspace) -> list[AnyTask]:
    """The tasks of `evaluate.tasks`. Raises ConfigError for an unknown name, a file that is wrong, two of one name."""
    own = _own(settings, workspace)
    found = [_open(_choice(one), workspace, own) for one in settings.tasks]
    folders = [task.folder.lower() for task in found]
    twice = next((task for at, task in enumerate(found) if task.folder.lower() in folders[:at]), None)
    if twice is not None:
        raise ConfigError(
            say(
                f"evaluate.tasks: '{twice.name}' is the second task called '{twice.folder}', expected unlike names",
                f"evaluate.tasks: '{twice.name}'은(는) 이름이 '{twice.folder}'인 두 번째 과제입니다. 이름이 서로 달라야 합니다",
            )
        )
    return found


def _own(settings: EvaluateSettings, workspace: Workspace) -> Path | None:
    if settings.task_path is None:
        return workspace.root / OWN if (workspace.root / OWN).is_dir() else None
    folder = workspace.at(settings.task_path)
    if not folder.is_dir():
        raise ConfigError(
            say(
                f"evaluate.task_path: {settings.task_path}: no such folder of lm-eval tasks",
                f"evaluate.task_path: {settings.task_path}: 그런 폴더가 없습니다",
            )
        )
    return folder


def _choice(one: str | TaskChoice) -> TaskChoice:
    return TaskChoice(task=one) if isinstance(one, str) else one


def _open(choice: TaskChoice, workspace: Workspace, own: Path | None) -> AnyTask:
    name = choice.task
    if name.startswith(HARNESS):
        return HarnessTask(name, choice, own)
    if choice.chat_template is not None:
        raise ConfigError(
            say(
                f"evaluate.tasks: {name}: chat_template is for tasks of lm-eval; ours are asked as the model was trained",
                f"evaluate.tasks: {name}: chat_template은 lm-eval 과제에만 씁니다. 이 과제는 모델이 학습한 대로 묻습니다",
            )
        )
    file = _file(name, workspace)
    settings = load_task(file, name)
    changes = {key: value for key in ("shots", "limit") if (value := getattr(choice, key)) is not None}
    return Task(name, file, settings.model_copy(update=changes))


def _file(name: str, workspace: Workspace) -> Path:
    names = shipped()
    if name in names:
        return SHIPPED / f"{name}.yaml"
    path = workspace.at(name)
    if name.lower().endswith((".yaml", ".yml")) and path.is_file():
        return path
    there = [f"{OWN}/{file.name}" for file in sorted((workspace.root / OWN).glob("*.y*ml"))]
    near = hint(nearest(name, [*names, *there]))
    known = ", ".join([*names, *there])
    raise ConfigError(
        say(
            f"evaluate.tasks: found '{name}', expected a YAML file, lm-eval:NAME, or one of: {known}{near}",
            f"evaluate.tasks: '{name}'은(는) 없습니다. YAML 파일, lm-eval:이름, 또는 다음 이름을 쓰세요: {known}{near}",
        )
    )


def load_task(file: Path, shown: str) -> TaskSettings:
    """Read a task's file. Raises ConfigError with one line for each fault."""
    document = read_yaml(file, shown)
    value = document.value if document.value is not None else {}
    problems = list(document.problems)
    if not isinstance(value, dict):
        text = say("found no mapping, expected keys such as 'dataset:'", "'dataset:' 같은 키가 있어야 합니다")
        raise ConfigError(str(Problem(shown, 1, "", text)))
    try:
        settings = TaskSettings.model_validate(value)
    except ValidationError as error:
        told = {(p.line, p.key) for p in problems}
        found = translate(error, TaskSettings, value, document.lines, shown)
        problems += [p for p in found if (p.line, p.key) not in told]
        settings = None
    if problems or settings is None:
        raise ConfigError("\n".join(dict.fromkeys(str(p) for p in sorted(problems, key=lambda p: p.line))))
    path = getattr(settings.dataset, "path", None)
    if path is None or file.parent != SHIPPED:
        return settings
    inside = settings.dataset.model_copy(update={"path": str((SHIPPED / path).resolve())})
    return settings.model_copy(update={"dataset": inside})


def as_data(settings: TaskSettings) -> DataSettings:
    """The settings that the data stages would be given."""
    return DataSettings(
        sources=(settings.dataset,),
        prompt=settings.prompt,
        format=settings.format,
        columns=settings.columns,
        system_prompt=settings.system_prompt,
    )


def made_from(tasks: Sequence[AnyTask], workspace: Workspace) -> dict[str, str | None]:
    """Of each task one word for all that its scores depend on besides the model; None while rows have to be fetched first."""
    from dadeum.data.step import inputs

    found: dict[str, str | None] = {}
    for task in tasks:
        key = f"task {task.name}"
        if isinstance(task, HarnessTask):
            own = sha256_folder(task.own) if task.own is not None else None
            found[key] = fingerprint(version("lm-eval"), own)
            continue
        rows: dict[str, Any] = inputs(as_data(task.settings), workspace)
        late = None in rows.values()
        found[key] = None if late else fingerprint(sha256_file(task.file), list(rows.values()))
    return found


def download(tasks: Sequence[AnyTask], workspace: Workspace, reporter: Any) -> list[Path]:
    """Fetch the rows of tasks that lie on the Hub, or are written from a fallback."""
    from dadeum.data import step

    ours = [task for task in tasks if isinstance(task, Task)]
    return [path for task in ours for path in step.download(as_data(task.settings), workspace, reporter)]
