"""Pydantic's findings in the words of users: what was found, what was expected, the nearest right name."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from dadeum.config.yaml import Place, Problem, dotted
from dadeum.core.family import Family, MemberOf
from dadeum.core.language import say
from dadeum.core.near import hint, nearest

# pydantic's error type: what was expected, in English and in Korean ({…} from the error's context).
EXPECTED = {
    "int_type": ("a whole number", "정수"),
    "int_from_float": ("a whole number", "정수"),
    "float_type": ("a number", "숫자"),
    "bool_type": ("true or false", "true 또는 false"),
    "string_type": ("text", "글자"),
    "tuple_type": ("a list", "목록"),
    "dict_type": ("a mapping", "키: 값 묶음"),
    "model_type": ("a mapping", "키: 값 묶음"),
    "model_attributes_type": ("a mapping", "키: 값 묶음"),
    "finite_number": ("a finite number", "유한한 숫자"),
    "literal_error": ("{expected}", "{expected}"),
    "greater_than": ("more than {gt}", "{gt}보다 큰 값"),
    "greater_than_equal": ("at least {ge}", "{ge} 이상"),
    "less_than": ("less than {lt}", "{lt}보다 작은 값"),
    "less_than_equal": ("at most {le}", "{le} 이하"),
    "too_short": ("at least {min_length} item(s)", "{min_length}개 이상"),
    "string_too_short": ("at least {min_length} character(s)", "{min_length}자 이상"),
    "string_too_long": ("at most {max_length} characters", "{max_length}자 이하"),
    "member_shape": ("a mapping with 'type', or the type's name", "'type'이 있는 묶음 또는 type 이름"),
    "member_type": ("'type', one of: {names}", "'type' (가능한 값: {names})"),
}


def shown(value: Any) -> str:
    """A found value, short enough for one line."""
    if isinstance(value, str):
        text = "'" + value.replace("\n", "\\n") + "'"
    elif value is None or isinstance(value, bool):
        text = "null" if value is None else str(value).lower()
    elif isinstance(value, dict | list):
        text = say("a mapping", "키: 값 묶음") if isinstance(value, dict) else say("a list", "목록")
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "…'"


def at(value: Any, place: Place) -> bool:
    """Whether there is something at `place` in what the user wrote."""
    for part in place:
        there = (
            isinstance(part, int) and part < len(value)
            if isinstance(value, list)
            else isinstance(value, Mapping) and part in value
        )
        if not there:
            return False
        value = value[part]
    return True


def _written(place: Place, raw: Any, absent: bool) -> Place:
    """Pydantic's place without the words that unions add; of a missing key, the last part is the key."""
    kept: Place = ()
    for i, part in enumerate(place):
        if at(raw, (*kept, part)) or (absent and i == len(place) - 1):
            kept = (*kept, part)
    return kept


def inner(model: type[BaseModel] | None, name: str | int) -> Family | type[BaseModel] | None:
    """What a section's key holds: a member (or members) of a family, a section, or neither."""
    field = model.model_fields.get(str(name)) if model else None
    parts = list(_flatten((field.annotation, *field.metadata))) if field else []
    family = next((part.family for part in parts if isinstance(part, MemberOf)), None)
    return family or next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)


def known_keys(model: type[BaseModel], raw: Any, place: Place) -> list[str]:
    """Names of the settings that exist at `place`, following the families that `raw` names."""
    current: type[BaseModel] | None = model
    waiting: Family | type[BaseModel] | None = None
    for part in place:
        raw = raw[part] if at(raw, (part,)) else None
        if not isinstance(part, int):
            waiting = inner(current, part)
        if isinstance(waiting, Family):
            kind = raw.get("type") if isinstance(raw, Mapping) else raw
            current = waiting.settings(kind) if isinstance(kind, str) and kind in waiting.names else None
        else:
            current = waiting
    return list(current.model_fields) if current else []


def _flatten(items: Any) -> Iterator[Any]:
    for item in items:
        yield from _flatten((*get_args(item), *getattr(item, "__metadata__", ()))) if get_args(item) else (item,)


def translate(
    error: ValidationError, model: type[BaseModel], raw: Any, lines: Mapping[Place, tuple[str, int]], file: str
) -> list[Problem]:
    """All findings of a validation, one line each, in the order of the file."""
    merged: dict[tuple[Place, bool], tuple[dict[str, Any], list[str]]] = {}
    branches: set[Place] = set()
    findings = error.errors(include_url=False)
    within = {finding["loc"][:i] for finding in findings for i in range(len(finding["loc"]))}
    for finding in findings:
        absent = finding["type"] == "missing"
        if finding["type"] == "too_short" and finding["loc"] in within:
            continue  # its items are at fault, and told one by one
        place = _written(finding["loc"], raw, absent)
        if len(place) < len(finding["loc"]):
            branches.add(place)
        entry = merged.setdefault((place, absent), (dict(finding), []))
        entry[1].append(_expected(finding))
    # Of a union, the branch that fits best tells what is wrong inside; that the others do not fit is no news.
    deeper = {place[:i] for place, _ in merged for i in range(len(place))}
    problems = [
        _problem(place, finding, expected, model, raw, lines, file)
        for (place, _), (finding, expected) in merged.items()
        if not (place in branches and place in deeper)
    ]
    return sorted(problems, key=lambda p: (p.file, p.line))


def _expected(finding: Any) -> str:
    pair = EXPECTED.get(finding["type"])
    if pair is None:
        return str(finding["msg"]).removeprefix("Value error, ")
    told = dict(finding.get("ctx", {}))
    if finding["type"] == "literal_error":
        told["expected"] = _choices(str(told["expected"]), finding["input"])
    return say(*pair).format(**told)


def _choices(expected: str, found: Any) -> str:
    """Pydantic's `'a', 'b' or 'c'` with the nearest to what was found."""
    names = re.findall(r"'([^']*)'", expected)
    near = nearest(found, names) if isinstance(found, str) else None
    text = say(expected, ", ".join(f"'{name}'" for name in names))
    return text + hint(near)


def _problem(
    place: Place,
    finding: dict[str, Any],
    expected: list[str],
    model: type[BaseModel],
    raw: Any,
    lines: Mapping[Place, tuple[str, int]],
    file: str,
) -> Problem:
    parent = place
    while parent and parent not in lines:
        parent = parent[:-1]
    where, line = lines.get(parent, (file, 1))
    if finding["type"] == "missing":
        text = say("found nothing, expected a value", "없습니다. 값이 필요합니다")
    elif finding["type"] == "extra_forbidden":
        names = known_keys(model, raw, place[:-1])
        near = nearest(str(place[-1]), names)
        known = say(f"expected one of: {', '.join(names)}", f"쓸 수 있는 키: {', '.join(names)}")
        text = say("found an unknown key, ", "모르는 키입니다. ") + known + hint(near)
    elif finding["type"] == "unknown_member":
        text = str(finding["ctx"]["text"])
    else:
        wanted = say(" or ", " 또는 ").join(dict.fromkeys(expected))
        found = finding["input"]
        text = (
            wanted
            if finding["type"] == "value_error"
            else say(
                f"found {shown(found)}, expected {wanted}", f"{shown(found)}은(는) 맞지 않습니다. 필요한 값: {wanted}"
            )
        )
    return Problem(where, line, dotted(place), text)
