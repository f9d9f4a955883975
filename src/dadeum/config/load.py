"""From a YAML file, overrides and the environment to a frozen Experiment; all that is wrong is told at once.

Order: command line, YAML (later files of `extends:` before earlier ones), environment, `.env`.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dadeum.config.aliases import OLD_NAMES
from dadeum.config.experiment import Experiment
from dadeum.config.problems import translate
from dadeum.config.yaml import Document, Place, Problem, dotted, parse_yaml, read_yaml
from dadeum.core.errors import ConfigError
from dadeum.core.family import nearest
from dadeum.core.language import say
from dadeum.core.workspace import check_name

COMMAND_LINE = "command line"
SECRETS = ("HF_TOKEN", "WANDB_API_KEY")


@dataclass(frozen=True)
class Loaded:
    """An experiment, the plain mapping that it was made from, and the files that took part."""

    experiment: Experiment
    raw: dict[str, Any]
    files: tuple[Path, ...]


def read_environment(root: Path) -> dict[str, str]:
    """The environment over `.env` of the workspace; secrets found there are put into the environment."""
    values: dict[str, str] = {}
    if (root / ".env").is_file():
        from dotenv import dotenv_values

        values = {k: v for k, v in dotenv_values(root / ".env", encoding="utf-8").items() if v}
    for name in SECRETS:
        if name in values:
            os.environ.setdefault(name, values[name])
    return {**values, **os.environ}


def load(path: Path | None, overrides: Iterable[str] = (), *, root: Path, base: Mapping[str, Any] | None = None) -> Loaded:
    """Read an experiment of the workspace at `root`. Raises ConfigError with one line for each fault.

    `overrides` are `key=value` with YAML values; `base` is a mapping to start from (flags of a command without a file).
    """
    document = Document(value={})
    if base:
        _merge(document, Document(value=dict(base), lines={(k,): (COMMAND_LINE, 0) for k in base}))
    files: list[Path] = []
    if path is not None:
        _extend(document, path, root, files, ())
    for text in overrides:
        _override(document, text)
    _fill(document, read_environment(root))
    _rename(document)
    file = _shown(path, root) if path else COMMAND_LINE
    problems = list(document.problems)
    experiment = None
    try:
        experiment = Experiment.model_validate(document.value)
    except ValidationError as error:
        problems += translate(error, Experiment, document.value, document.lines, file)
    if experiment is not None:
        problems += _last_checks(experiment, document, file)
    if problems or experiment is None:
        raise ConfigError("\n".join(dict.fromkeys(str(p) for p in problems)))
    return Loaded(experiment, document.value, tuple(files))


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _extend(document: Document, path: Path, root: Path, files: list[Path], chain: tuple[Path, ...]) -> None:
    """Lay `path` over the files that its `extends:` names (relative to the file that says it)."""
    if path.resolve() in chain:
        loop = " → ".join(p.name for p in (*chain, path))
        raise ConfigError(say(f"{_shown(path, root)}: extends: found a circle ({loop})", f"{_shown(path, root)}: extends: 서로 물고 있습니다 ({loop})"))
    own = read_yaml(path, _shown(path, root))
    files.append(path)
    if own.value is None:
        own.value = {}
    if not isinstance(own.value, dict):
        raise ConfigError(say(f"{_shown(path, root)}:1: found no mapping, expected keys such as 'name:' and 'data:'", f"{_shown(path, root)}:1: 'name:', 'data:' 같은 키가 있어야 합니다"))
    parents = own.value.pop("extends", None) or []
    for parent in [parents] if isinstance(parents, str) else parents:
        if not isinstance(parent, str):
            where, line = own.lines[("extends",)]
            raise ConfigError(str(Problem(where, line, "extends", say("expected a file or a list of files", "파일 또는 파일 목록이어야 합니다"))))
        _extend(document, path.parent / parent, root, files, (*chain, path.resolve()))
    _merge(document, own)


def _merge(below: Document, above: Document) -> None:
    """Lay `above` over `below`: mappings key by key, everything else replaced, with the lines of what won."""
    below.problems += above.problems
    below.value = _merged(below.value, above.value, (), below, above)
    below.lines.update({k: v for k, v in above.lines.items() if k})


def _merged(old: Any, new: Any, place: Place, below: Document, above: Document) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)) or _other_type(old, new):
        for known in [k for k in below.lines if k[: len(place)] == place and len(k) > len(place)]:
            del below.lines[known]
        return new
    result = dict(old)
    for key, value in new.items():
        result[key] = _merged(old[key], value, (*place, key), below, above) if key in old else value
    return result


def _other_type(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return "type" in new and "type" in old and new["type"] != old["type"]


def _override(document: Document, text: str) -> None:
    """Set one `key=value` of the command line; the value is YAML."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(say(f"{COMMAND_LINE}: found '{text}', expected key=value such as train.learning_rate=1e-4", f"{COMMAND_LINE}: '{text}': train.learning_rate=1e-4처럼 키=값으로 쓰세요"))
    place: Place = tuple(int(p) if p.isdigit() else p for p in key.strip().split("."))
    parsed = parse_yaml(value, COMMAND_LINE)
    document.problems += parsed.problems
    document.value = _placed(document.value, place, parsed.value, key)
    for known in [k for k in document.lines if k[: len(place)] == place]:
        del document.lines[known]
    document.lines[place] = (COMMAND_LINE, 0)


def _placed(tree: Any, place: Place, value: Any, key: str) -> Any:
    if not place:
        return value
    head, rest = place[0], place[1:]
    if isinstance(tree, list):
        if not isinstance(head, int) or head >= len(tree):
            raise ConfigError(say(f"{COMMAND_LINE}: {key}: found '{head}', expected a number below {len(tree)}", f"{COMMAND_LINE}: {key}: '{head}' 대신 {len(tree)}보다 작은 번호를 쓰세요"))
        return [_placed(item, rest, value, key) if i == head else item for i, item in enumerate(tree)]
    if isinstance(tree, str) and rest == () and head != "type":
        tree = {"type": tree}
    below = tree if isinstance(tree, dict) else {}
    return {**below, str(head): _placed(below.get(str(head)), rest, value, key)}


def _fill(document: Document, environment: Mapping[str, str]) -> None:
    """`MODEL_ID` and `DATASET` fill in what the file leaves out."""
    value = document.value
    model, data = value.get("model"), value.get("data")
    model_id, dataset = environment.get("MODEL_ID"), environment.get("DATASET")
    if model_id and (model is None or (isinstance(model, dict) and not model.get("name_or_path") and model.get("init") != "random")):
        value["model"] = {**(model or {}), "name_or_path": model_id}
    if dataset and (data is None or (isinstance(data, dict) and "sources" not in data)):
        value["data"] = {**(data or {}), "sources": [{"type": "hub", "name": dataset}]}


def _rename(document: Document) -> None:
    """Move older names to the current ones; both at once is an error."""
    for old, new in OLD_NAMES.items():
        source, target = tuple(old.split(".")), tuple(new.split("."))
        holder = document.value
        for part in source[:-1]:
            holder = holder.get(part) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or source[-1] not in holder:
            continue
        if old.startswith("adapter.") and holder.get("type") != "lora":
            continue
        value = holder.pop(source[-1])
        where, line = document.lines.pop(source, (COMMAND_LINE, 0))
        if target in document.lines:
            document.problems.append(Problem(where, line, old, say(f"another name of '{new}', which is set too; expected one of them", f"'{new}'와(과) 같은 설정입니다. 하나만 쓰세요")))
            continue
        document.value = _placed(document.value, target, value, old) if len(target) < 3 else _placed_member(document.value, target, value, old)
        document.lines[target] = (where, line)


def _placed_member(tree: Any, target: Place, value: Any, key: str) -> Any:
    """Set a key inside a member that may be named only, or left to its default (`train.optim`)."""
    section = dict(tree.get(target[0]) or {})
    member = section.get(str(target[1]), "adamw")
    section[str(target[1])] = {**(member if isinstance(member, dict) else {"type": member}), str(target[2]): value}
    return {**tree, str(target[0]): section}


def _last_checks(experiment: Experiment, document: Document, file: str) -> list[Problem]:
    problems = []
    try:
        check_name(experiment.name)
    except ConfigError as error:
        where, line = document.lines.get(("name",), (file, 0))
        problems.append(Problem(where, line, "", str(error)))
    model = experiment.model
    if model.name_or_path is None and not (model.init == "random" and model.config):
        where, line = document.lines.get(("model",), (file, 1))
        problems.append(Problem(where, line, "model.name_or_path", say("found nothing, expected a Hub id or a folder (or MODEL_ID in the environment)", "없습니다. Hub 이름이나 폴더를 쓰세요 (또는 MODEL_ID 환경 변수)")))
    return problems


def suggest(name: str, names: Iterable[str]) -> str:
    """` did you mean 'x'?`, or nothing."""
    near = nearest(name, names)
    return say(f"; did you mean '{near}'?", f"; '{near}'을(를) 뜻하셨나요?") if near else ""


__all__ = ["COMMAND_LINE", "Loaded", "dotted", "load", "read_environment", "suggest"]
