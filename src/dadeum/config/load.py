"""From a YAML file, overrides and the environment to a frozen Experiment; all that is wrong is told at once.

Order: command line, YAML (later files of `extends:` before earlier ones), environment, `.env`.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dadeum.config import flat
from dadeum.config.experiment import Experiment
from dadeum.config.overlay import COMMAND_LINE, merge, name_defaults, override, rename
from dadeum.config.problems import translate
from dadeum.config.yaml import Document, Place, Problem, dotted, read_yaml
from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.core.secrets import found_in, is_secret_variable, learn
from dadeum.core.workspace import check_name

PASSED_ON = ("MLFLOW_TRACKING_", "WANDB_")  # what trackers read for themselves
MAX_FILES = 50  # `extends:` of `extends:` may grow without end


@dataclass(frozen=True)
class Loaded:
    """An experiment, the plain mapping that it was made from, and the files that took part."""

    experiment: Experiment
    raw: dict[str, Any]
    files: tuple[Path, ...]


def read_environment(root: Path) -> dict[str, str]:
    """The environment over `.env` of the workspace; secrets found there, and what trackers read, are put into the environment."""
    values: dict[str, str] = {}
    if (root / ".env").is_file():
        from dotenv import dotenv_values

        try:
            values = {k: v for k, v in dotenv_values(root / ".env", encoding="utf-8-sig").items() if v}
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                say(f".env: cannot be read as UTF-8 ({error})", f".env: UTF-8로 읽을 수 없습니다 ({error})")
            ) from None
    learn(values)
    for name in values:
        if is_secret_variable(name) or name.startswith(PASSED_ON):
            os.environ.setdefault(name, values[name])
    return {**values, **os.environ}


def load(
    path: Path | None, overrides: Iterable[str] = (), *, root: Path, base: Mapping[str, Any] | None = None
) -> Loaded:
    """Read an experiment of the workspace at `root`. Raises ConfigError with one line for each fault.

    `overrides` are `key=value` with YAML values; `base` is a mapping to start from (flags of a command without a file).
    """
    document = Document(value={}, lines={} if path else {(): (COMMAND_LINE, 0)})
    if base:
        merge(document, Document(value=dict(base), lines={(k,): (COMMAND_LINE, 0) for k in base}))
        rename(document)
    files: list[Path] = []
    if path is not None:
        _extend(document, path, root, files, ())
    for text in overrides:
        override(document, text)
    _fill(document, read_environment(root))
    name_defaults(document)
    file = _shown(path, root) if path else COMMAND_LINE
    problems = list(document.problems)
    told = {(p.file, p.line, p.key) for p in problems}
    experiment = None
    try:
        experiment = Experiment.model_validate(document.value)
    except ValidationError as error:
        found = translate(error, Experiment, document.value, document.lines, file)
        problems += [p for p in found if (p.file, p.line, p.key) not in told]
    told = {(p.file, p.line, p.key) for p in problems}
    problems += [p for p in _last_checks(document, file) if (p.file, p.line, p.key) not in told]
    if problems or experiment is None:
        problems.sort(key=lambda p: (p.file != file, p.file, p.line))
        raise ConfigError("\n".join(dict.fromkeys(str(p) for p in problems)))
    return Loaded(experiment, document.value, tuple(files))


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _extend(document: Document, path: Path, root: Path, files: list[Path], chain: tuple[Path, ...]) -> None:
    """Lay `path` over the files that its `extends:` names (relative to the file that says it)."""
    if path.resolve() in chain:
        loop = " → ".join(p.name for p in (*chain, path))
        raise ConfigError(
            say(
                f"{_shown(path, root)}: extends: found a circle ({loop})",
                f"{_shown(path, root)}: extends: 서로 물고 있습니다 ({loop})",
            )
        )
    own = read_yaml(path, _shown(path, root))
    files.append(path)
    if own.value is None:
        own.value = {}
    if not isinstance(own.value, dict):
        raise ConfigError(
            say(
                f"{_shown(path, root)}:1: found no mapping, expected keys such as 'name:' and 'data:'",
                f"{_shown(path, root)}:1: 'name:', 'data:' 같은 키가 있어야 합니다",
            )
        )
    parents = own.value.pop("extends", None) or []
    for i, parent in enumerate(
        [parents] if isinstance(parents, str) else parents if isinstance(parents, list) else [None]
    ):
        where, line = own.lines.get(("extends", i), own.lines[("extends",)])
        if not isinstance(parent, str):
            raise ConfigError(
                str(
                    Problem(
                        where,
                        line,
                        "extends",
                        say("expected a file or a list of files", "파일 또는 파일 목록이어야 합니다"),
                    )
                )
            )
        if len(files) >= MAX_FILES:
            raise ConfigError(
                str(
                    Problem(
                        where,
                        line,
                        "extends",
                        say(
                            f"more than {MAX_FILES} files are laid over each other",
                            f"겹치는 파일이 {MAX_FILES}개를 넘습니다",
                        ),
                    )
                )
            )
        above = path.parent / parent
        if not above.is_file():
            near = nearest(above.name, [f.name for f in above.parent.glob("*.y*ml")] if above.parent.is_dir() else [])
            text = say(
                f"found '{parent}', no such file beside this one",
                f"'{parent}': 이 파일을 기준으로 그런 파일이 없습니다",
            )
            raise ConfigError(str(Problem(where, line, "extends", text + hint(near))))
        _extend(document, above, root, files, (*chain, path.resolve()))
    flat.sort(own)
    rename(own)
    merge(document, own)


def _fill(document: Document, environment: Mapping[str, str]) -> None:
    """`MODEL_ID` and `DATASET` fill in what the file leaves out."""
    value = document.value
    model, data = value.get("model"), value.get("data")
    model_id, dataset = environment.get("MODEL_ID"), environment.get("DATASET")
    if model_id and (
        model is None or (isinstance(model, dict) and not model.get("name_or_path") and model.get("init") != "random")
    ):
        value["model"] = {**(model or {}), "name_or_path": model_id}
    if dataset and (data is None or (isinstance(data, dict) and "sources" not in data)):
        value["data"] = {**(data or {}), "sources": [{"type": "hub", "name": dataset}]}


def _secrets(document: Document, file: str) -> list[Problem]:
    """Settings are written into every run, so none may hold a secret. The message does not show it."""
    problems = []
    todo: list[tuple[Place, Any]] = [((), document.value)]
    for place, value in todo:
        if isinstance(value, dict | list):
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            todo += [((*place, key), item) for key, item in pairs]
        held = found_in(value) if isinstance(value, str) else None
        if held is None:
            continue
        parents = [place[:i] for i in range(len(place), -1, -1) if place[:i] in document.lines]
        where, line = document.lines[parents[0]] if parents else (file, 0)
        what = (
            say("a password in an address", "주소에 든 비밀번호")
            if held == "URL"
            else say(f"the value of {held}", f"{held}의 값")
        )
        text = say(
            f"found {what}, expected none: settings are stored with each run; put secrets into the environment or .env",
            f"{what}이(가) 들어 있습니다. 설정은 실행마다 저장되므로 비밀은 환경 변수나 .env에 두세요",
        )
        problems.append(Problem(where, line, dotted(place), text))
    return problems


def _last_checks(document: Document, file: str) -> list[Problem]:
    """What no single setting can tell. Looks at what was written, so that it is told beside all other faults."""
    problems = _secrets(document, file)
    name, model = document.value.get("name"), document.value.get("model")
    if isinstance(name, str) and 0 < len(name) <= 100:
        try:
            check_name(name)
        except ConfigError as error:
            where, line = document.lines.get(("name",), (file, 0))
            problems.append(Problem(where, line, "", str(error)))
    given = {} if model is None else model
    if (
        isinstance(given, dict)
        and not given.get("name_or_path")
        and not (given.get("init") == "random" and given.get("config"))
    ):
        where, line = document.lines.get(("model",), document.lines.get((), (file, 1)))
        problems.append(
            Problem(
                where,
                line,
                "model.name_or_path",
                say(
                    "found nothing, expected a Hub id or a folder (or MODEL_ID in the environment)",
                    "없습니다. Hub 이름이나 폴더를 쓰세요 (또는 MODEL_ID 환경 변수)",
                ),
            )
        )
    return problems
