"""Tools and calls of tools, however a data set spells them, as chat templates take them.

A call is `{"type": "function", "id"?, "function": {"name", "arguments"}}` with the arguments as a mapping, a tool
`{"type": "function", "function": {"name", …}}`. What a data set gives as JSON text is read.
"""

import json
from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, list_of

KIND = "tools"


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def _call(value: Any, number: int) -> dict[str, Any]:
    given = _json(value)
    inner = given.get("function", given) if isinstance(given, Mapping) else None
    name = inner.get("name") if isinstance(inner, Mapping) else None
    if not isinstance(given, Mapping) or not isinstance(inner, Mapping) or not isinstance(name, str) or not name:
        raise FaultyRow(
            KIND,
            say(
                f"message {number}: a tool call has no name; expected {{name, arguments}}",
                f"메시지 {number}: 도구 호출에 이름이 없습니다. {{name, arguments}}여야 합니다",
            ),
        )
    said = inner.get("arguments", inner.get("parameters"))
    blank = said is None or (isinstance(said, str) and not said.strip())
    arguments = {} if blank else _json(said)
    if not isinstance(arguments, Mapping):
        raise FaultyRow(
            KIND,
            say(
                f"message {number}: the arguments of the call of '{name}' are no JSON object",
                f"메시지 {number}: '{name}' 호출의 인자가 JSON 객체가 아닙니다",
            ),
        )
    call: dict[str, Any] = {"type": "function"}
    if isinstance(given.get("id"), str):
        call["id"] = given["id"]
    return {**call, "function": {"name": name, "arguments": dict(arguments)}}


def calls(value: Any, number: int) -> list[dict[str, Any]]:
    """The calls of one message: a list, one mapping, or either as JSON text. Raises FaultyRow."""
    given = _json(value)
    return [_call(one, number) for one in (given if isinstance(given, list | tuple) else [given])]


def tools(value: Any, column: str) -> tuple[dict[str, Any], ...]:
    """The tools of a row, from its own column. Raises FaultyRow."""
    found: list[dict[str, Any]] = []
    for given in list_of(value, column):
        tool = _json(given)
        inner = tool.get("function", tool) if isinstance(tool, Mapping) else None
        if not isinstance(tool, Mapping) or not isinstance(inner, Mapping) or not isinstance(inner.get("name"), str):
            raise FaultyRow(
                KIND,
                say(
                    f"column '{column}' holds a tool without a name; expected {{name, description, parameters}}",
                    f"'{column}' 열의 도구에 이름이 없습니다. {{name, description, parameters}}여야 합니다",
                ),
            )
        found.append(dict(tool) if "function" in tool else {"type": "function", "function": dict(inner)})
    return tuple(found)
