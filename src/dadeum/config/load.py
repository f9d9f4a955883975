"""From a YAML file, overrides and the environment to a frozen Experiment; all that is wrong is told at once.

Order: command line, YAML (later files of `extends:` before earlier ones), environment, `.env`.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from dadeum.config.aliases import OLD_NAMES
from dadeum.config.experiment import Experiment
from dadeum.config.problems import at, hint, inner, translate
from dadeum.config.train import TrainSettings
from dadeum.config.yaml import Document, Place, Problem, dotted, parse_yaml, read_yaml
from dadeum.core.errors import ConfigError
from dadeum.core.family import Family, nearest
from dadeum.core.language import say
from dadeum.core.log import SECRETS
from dadeum.core.workspace import check_name

COMMAND_LINE = "command line"
MAX_FILES = 50  # `extends:` of `extends:` may grow without end


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

        try:
            values = {k: v for k, v in dotenv_values(root / ".env", encoding="utf-8-sig").items() if v}
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                say(f".env: cannot be read as UTF-8 ({error})", f".env: UTF-8로 읽을 수 없습니다 ({error})")
            ) from None
    for name in SECRETS:
        if name in values:
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
        _merge(document, Document(value=dict(base), lines={(k,): (COMMAND_LINE, 0) for k in base}))
    files: list[Path] = []
    if path is not None:
        _extend(document, path, root, files, ())
    for text in overrides:
        _override(document, text)
    _fill(document, read_environment(root))
    _name_defaults(document)
    file = _shown(path, root) if path else COMMAND_LINE
    problems = list(document.problems)
    told = {(p.file, p.line, p.key) for p in problems}
    experiment = None
    try:
        experiment = Experiment.model_validate(document.value)
    except ValidationError as error:
        found = translate(error, Experiment, document.value, document.lines, file)
        problems += [p for p in found if (p.file, p.line, p.key) not in told]
    problems += _last_checks(document, file)
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
    _rename(own)
    _merge(document, own)


def _merge(below: Document, above: Document) -> None:
    """Lay `above` over `below`: mappings key by key, everything else replaced, with the lines of what won."""
    below.problems += above.problems
    below.value = _merged(below.value, above.value, (), below, above)
    below.lines.update({k: v for k, v in above.lines.items() if k})


def _merged(old: Any, new: Any, place: Place, below: Document, above: Document) -> Any:
    if isinstance(old, str) and isinstance(new, dict) and "type" not in new and _family(place) is not None:
        return {"type": old, **new}  # a member that was only named keeps its name
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
        raise ConfigError(
            say(
                f"{COMMAND_LINE}: found '{text}', expected key=value such as train.learning_rate=1e-4",
                f"{COMMAND_LINE}: '{text}': train.learning_rate=1e-4처럼 키=값으로 쓰세요",
            )
        )
    spelled = _current(key.strip(), document.value)
    place: Place = tuple(int(p) if p.isascii() and p.isdigit() else p for p in spelled.split("."))
    parsed = parse_yaml(value, f"{COMMAND_LINE}: {key}")
    document.problems += parsed.problems
    made = [place[:i] for i in range(1, len(place)) if not isinstance(_found(document.value, place[:i]), dict | list)]
    document.value = _placed(document.value, place, parsed.value, key)
    document.lines.update(dict.fromkeys(made, (COMMAND_LINE, 0)))
    for known in [k for k in document.lines if k[: len(place)] == place]:
        del document.lines[known]
    document.lines[place] = (COMMAND_LINE, 0)
    _rename(document)


def _found(tree: Any, place: Place) -> Any:
    """What stands at `place`; None where there is nothing."""
    for part in place:
        tree = tree[part] if at(tree, (part,)) else None
    return tree


def _placed(tree: Any, place: Place, value: Any, key: str) -> Any:
    if not place:
        return value
    head, rest = place[0], place[1:]
    if isinstance(tree, list):
        if not isinstance(head, int) or head >= len(tree):
            raise ConfigError(
                say(
                    f"{COMMAND_LINE}: {key}: found '{head}', expected a number below {len(tree)}",
                    f"{COMMAND_LINE}: {key}: '{head}' 대신 {len(tree)}보다 작은 번호를 쓰세요",
                )
            )
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
    if model_id and (
        model is None or (isinstance(model, dict) and not model.get("name_or_path") and model.get("init") != "random")
    ):
        value["model"] = {**(model or {}), "name_or_path": model_id}
    if dataset and (data is None or (isinstance(data, dict) and "sources" not in data)):
        value["data"] = {**(data or {}), "sources": [{"type": "hub", "name": dataset}]}


def _family(place: Place) -> Family | None:
    """The family whose members stand at `place` of an experiment, if there is one."""
    found: Family | type[BaseModel] | None = Experiment
    for part in place:
        if isinstance(found, Family):
            return found if isinstance(part, int) and part == place[-1] else None
        found = inner(found, part)
    return found if isinstance(found, Family) else None


def _current(key: str, tree: Any) -> str:
    """The current name of a key that may be an older one. A member that has the older name itself keeps it."""
    new = OLD_NAMES.get(key)
    if new is None:
        return key
    *section, name = key.split(".")
    family = _family(tuple(section))
    holder = tree.get(section[0]) if isinstance(tree, dict) else None
    kind = holder.get("type") if isinstance(holder, dict) else holder
    if family is not None and isinstance(kind, str) and kind in family.names:
        fields = family.settings(kind).model_fields
        return key if name in fields or new.split(".")[-1] not in fields else new
    return new


def _rename(document: Document) -> None:
    """Move older names to the current ones; both at once is an error."""
    for old in OLD_NAMES:
        source = tuple(old.split("."))
        target = tuple(_current(old, document.value).split("."))
        if target == source or not at(document.value, source):
            continue
        value = document.value[source[0]].pop(source[1])
        where, line = document.lines.pop(source, (COMMAND_LINE, 0))
        if at(document.value, target):
            new = dotted(target)
            document.problems.append(
                Problem(
                    where,
                    line,
                    old,
                    say(
                        f"another name of '{new}', which is set too; expected one of them",
                        f"'{new}'와(과) 같은 설정입니다. 하나만 쓰세요",
                    ),
                )
            )
            continue
        document.value = _placed(document.value, target, value, old)
        document.lines[target] = (where, line)


def _name_defaults(document: Document) -> None:
    """Settings of a member that was not named belong to the default, where the default has them all."""
    for section, model in (((), Experiment), (("train",), TrainSettings)):
        holder = document.value.get(section[0]) if section else document.value
        for name, field in model.model_fields.items() if isinstance(holder, dict) else ():
            family, given = inner(model, name), holder.get(name)
            if not (
                isinstance(family, Family) and isinstance(field.default, str) and isinstance(given, dict) and given
            ):
                continue
            if "type" not in given and set(given) <= set(family.settings(field.default).model_fields):
                holder[name] = {"type": field.default, **given}


def _last_checks(document: Document, file: str) -> list[Problem]:
    """What no single setting can tell. Looks at what was written, so that it is told beside all other faults."""
    problems = []
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


__all__ = ["COMMAND_LINE", "Loaded", "dotted", "load", "read_environment"]
