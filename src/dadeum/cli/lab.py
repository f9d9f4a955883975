"""What the verbs share: an EXPERIMENT argument with `key=value` words becomes a Lab; typer's common options."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.workspace import Workspace
from dadeum.run.stages import Lab

EXPERIMENT = say("an experiment: a YAML file, or its name in configs/", "실험: YAML 파일 또는 configs/ 안의 이름")
OVERRIDES = say("settings to change: key=value …", "바꿀 설정: 키=값 …")
ExperimentArgument = Annotated[str, typer.Argument(metavar="EXPERIMENT", help=EXPERIMENT)]
OverridesArgument = Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help=OVERRIDES)]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help=say(
            "experiment, run, folder or Hub id; default: the last finished run",
            "실험, 실행, 폴더 또는 Hub 이름. 기본값: 마지막으로 끝난 실행",
        ),
    ),
]


def experiment_file(text: str, workspace: Workspace) -> Path:
    """The file that EXPERIMENT means. Raises ConfigError with the files that there are."""
    path = workspace.at(text)
    if path.is_file():
        return path
    for suffix in (".yaml", ".yml"):
        named = workspace.configs / f"{text}{suffix}"
        if named.is_file():
            return named
    from dadeum.core.near import hint, nearest

    there = sorted(f.as_posix() for f in workspace.configs.glob("*.yaml"))
    there = [Path(f).relative_to(workspace.root).as_posix() for f in there]
    near = hint(nearest(text, [*there, *(Path(f).stem for f in there)]))
    listed = say(f" (configs/ has: {', '.join(there)})", f" (configs/에 있는 것: {', '.join(there)})") if there else ""
    raise ConfigError(say(f"{text}: no such experiment{near}{listed}", f"{text}: 그런 실험이 없습니다{near}{listed}"))


def open_lab(experiment: str | None, overrides: Sequence[str] | None, *, base: dict[str, Any] | None = None) -> Lab:
    """The experiment in the workspace that is the current folder."""
    from dadeum.config.load import load

    workspace = Workspace.here()
    path = experiment_file(experiment, workspace) if experiment is not None else None
    return Lab(load(path, overrides or (), root=workspace.root, base=base), workspace)
