"""Pydantic's findings in the words of users: what was found, what was expected, the nearest right name."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from dadeum.config.yaml import Place, Problem, dotted
from dadeum.core.family import MemberOf, nearest
from dadeum.core.language import say

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
    text = f"'{value}'" if isinstance(value, str) else {None: "null", True: "true", False: "false"}.get(value) if isinstance(value, bool | None) else None
    if text is None:
        text = {dict: say("a mapping", "키: 값 묶음"), list: say("a list", "목록")}.get(type(value)) or str(value)
    return text if len(text) <= 60 else text[:57] + "…'"


def _at(value: Any, place: Place) -> bool:
    for part in place:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return False
    return True


def known_keys(model: type[BaseModel], raw: Any, place: Place) -> list[str]:
    """Names of the settings that exist at `place`, following the families that `raw` names."""
    current: type[BaseModel] | None = model
    for part in place:
        raw = raw[part] if isinstance(raw, Mapping | list) else None
        if isinstance(part, int) or current is None:
            continue
        current = _inner(current, part, raw)
    return list(current.model_fields) if current else []


def _inner(model: type[BaseModel], name: str, raw: Any) -> type[BaseModel] | None:
    field = model.model_fields.get(name)
    if field is None:
        return None
    for item in _flatten((field.annotation, *field.metadata)):
        if isinstance(item, MemberOf):
            first = raw[0] if isinstance(raw, list) and raw else raw
            kind = first.get("type") if isinstance(first, Mapping) else first
            return item.family.settings(kind) if kind in item.family.names else None
        if isinstance(item, type) and issubclass(item, BaseModel):
            return item
    return None


def _flatten(items: Any) -> Iterator[Any]:
    for item in items:
        yield from _flatten((*get_args(item), *getattr(item, "__metadata__", ()))) if get_args(item) else (item,)


def translate(
    error: ValidationError, model: type[BaseModel], raw: Any, lines: Mapping[Place, tuple[str, int]], file: str
) -> list[Problem]:
    """All findings of a validation, one line each, in the order of the file."""
    merged: dict[tuple[Place, bool], tuple[dict[str, Any], list[str]]] = {}
    for finding in error.errors(include_url=False):
        place: Place = finding["loc"]
        absent = finding["type"] == "missing"
        if finding["type"] == "too_short" and finding["input"]:
            continue  # its items are at fault, and told one by one
        # A union adds its own words to the place; the user's file ends before them.
        while place and not _at(raw, place) and not (absent and _at(raw, place[:-1])):
            place = place[:-1]
        entry = merged.setdefault((place, absent), (dict(finding), []))
        entry[1].append(_expected(finding))
    problems = [_problem(place, finding, expected, model, raw, lines, file) for (place, _), (finding, expected) in merged.items()]
    return sorted(problems, key=lambda p: (p.file, p.line))


def _expected(finding: Any) -> str:
    pair = EXPECTED.get(finding["type"])
    if pair is None:
        return str(finding["msg"]).removeprefix("Value error, ")
    return say(*pair).format(**finding.get("ctx", {}))


def _problem(
    place: Place, finding: dict[str, Any], expected: list[str], model: type[BaseModel], raw: Any,
    lines: Mapping[Place, tuple[str, int]], file: str,
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
        hint = say(f"; did you mean '{near}'?", f"; '{near}'을(를) 뜻하셨나요?") if near else ""
        text = say("found an unknown key, ", "모르는 키입니다. ") + known + hint
    elif finding["type"] == "unknown_member":
        text = str(finding["ctx"]["text"])
    else:
        wanted = say(" or ", " 또는 ").join(dict.fromkeys(expected))
        found = finding["input"]
        text = wanted if finding["type"] == "value_error" else say(f"found {shown(found)}, expected {wanted}", f"{shown(found)}은(는) 맞지 않습니다. 필요한 값: {wanted}")
    return Problem(where, line, dotted(place), text)
