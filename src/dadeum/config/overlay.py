"""One mapping laid over another: files over files, `key=value` over both, older names moved to the current ones."""

from typing import Any

from pydantic import BaseModel

from dadeum.config.aliases import OLD_NAMES, SWITCHES
from dadeum.config.experiment import Experiment
from dadeum.config.problems import at, inner
from dadeum.config.train import TrainSettings
from dadeum.config.yaml import Document, Place, Problem, dotted, parse_yaml
from dadeum.core.errors import ConfigError
from dadeum.core.family import Family
from dadeum.core.language import say

COMMAND_LINE = "command line"


def merge(below: Document, above: Document) -> None:
    """Lay `above` over `below`: mappings key by key, everything else replaced, with the lines of what won."""
    below.problems += above.problems
    below.value = _merged(below.value, above.value, (), below, above)
    below.lines.update({k: v for k, v in above.lines.items() if k})


def _merged(old: Any, new: Any, place: Place, below: Document, above: Document) -> Any:
    if isinstance(old, str) and isinstance(new, dict) and "type" not in new and family_at(place) is not None:
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


def override(document: Document, text: str) -> None:
    """Set one `key=value` of the command line; the value is YAML."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(
            say(
                f"{COMMAND_LINE}: found '{text}', expected key=value such as train.learning_rate=1e-4",
                f"{COMMAND_LINE}: '{text}': train.learning_rate=1e-4처럼 키=값으로 쓰세요",
            )
        )
    spelled = current_name(key.strip(), document.value)
    place: Place = tuple(int(p) if p.isascii() and p.isdigit() else p for p in spelled.split("."))
    parsed = parse_yaml(value, f"{COMMAND_LINE}: {key}")
    document.problems += parsed.problems
    made = [place[:i] for i in range(1, len(place)) if not isinstance(found_at(document.value, place[:i]), dict | list)]
    document.value = placed(document.value, place, parsed.value, key)
    document.lines.update(dict.fromkeys(made, (COMMAND_LINE, 0)))
    for known in [k for k in document.lines if k[: len(place)] == place]:
        del document.lines[known]
    document.lines[place] = (COMMAND_LINE, 0)
    rename(document)


def found_at(tree: Any, place: Place) -> Any:
    """What stands at `place`; None where there is nothing."""
    for part in place:
        tree = tree[part] if at(tree, (part,)) else None
    return tree


def placed(tree: Any, place: Place, value: Any, key: str) -> Any:
    """The tree with `value` at `place`; a member that was only named becomes a mapping. `key` is for messages."""
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
        return [placed(item, rest, value, key) if i == head else item for i, item in enumerate(tree)]
    if isinstance(tree, str) and rest == () and head != "type":
        tree = {"type": tree}
    below = tree if isinstance(tree, dict) else {}
    return {**below, str(head): placed(below.get(str(head)), rest, value, key)}


def family_at(place: Place) -> Family | None:
    """The family whose members stand at `place` of an experiment, if there is one."""
    found: Family | type[BaseModel] | None = Experiment
    for part in place:
        if isinstance(found, Family):
            return found if isinstance(part, int) and part == place[-1] else None
        found = inner(found, part)
    return found if isinstance(found, Family) else None


def current_name(key: str, tree: Any) -> str:
    """The current name of a key that may be an older one. A member that has the older name itself keeps it."""
    new = OLD_NAMES.get(key)
    if new is None:
        return key
    *section, name = key.split(".")
    family = family_at(tuple(section))
    holder = tree.get(section[0]) if isinstance(tree, dict) else None
    kind = holder.get("type") if isinstance(holder, dict) else holder
    if family is not None and isinstance(kind, str) and kind in family.names:
        fields = family.settings(kind).model_fields
        return key if name in fields or new.split(".")[-1] not in fields else new
    return new


def rename(document: Document) -> None:
    """Move older names to the current ones; both at once is an error."""
    for old in (*OLD_NAMES, *SWITCHES):
        source = tuple(old.split("."))
        target = tuple((SWITCHES[old][0] if old in SWITCHES else current_name(old, document.value)).split("."))
        if target == source or not at(document.value, source):
            continue
        value = document.value[source[0]].pop(source[1])
        where, line = document.lines.pop(source, (COMMAND_LINE, 0))
        if old in SWITCHES:
            if not isinstance(value, bool):
                text = say(f"found {value!r}, expected true or false", f"{value!r} 대신 true나 false를 쓰세요")
                document.problems.append(Problem(where, line, old, text))
            if value is not True:
                continue
            value = dict(SWITCHES[old][1])
        if found_at(document.value, target) is not None if old in SWITCHES else at(document.value, target):
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
        document.value = placed(document.value, target, value, old)
        document.lines[target] = (where, line)


def name_defaults(document: Document) -> None:
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
