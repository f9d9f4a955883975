"""Alpaca rows: `instruction`, an optional `input`, `output`; Dolly's `context` and `response` too.

The seed tasks of Self-Instruct hold input and output one level deeper, in a list `instances`.
"""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, by_name, first_text, list_of
from dadeum.data.formats import TALK, Conversation
from dadeum.data.formats._turns import BESIDE, ask

COLUMNS = "instruction, (input), output"
INPUTS = ("input", "context")
ANSWERS = ("output", "response", "instances")
READS = ("instruction", *INPUTS, *ANSWERS, *BESIDE)
RANK = TALK


def matches(columns: frozenset[str]) -> bool:
    """`instruction` and one column that holds the answer."""
    return "instruction" in columns and len(columns.intersection(ANSWERS)) == 1


def asked(values: Mapping[str, Any]) -> str | None:
    """The instruction, then a blank line and the input where there is one."""
    instruction, extra = first_text(values, ("instruction",)), first_text(values, INPUTS)
    return f"{instruction}\n\n{extra}" if instruction and extra else instruction


def convert(values: Mapping[str, Any]) -> Conversation:
    """Instruction and input, answered."""
    if "instances" in values:
        values = {**values, **_only(list_of(values["instances"], "instances"))}
    name = next((n for n in ANSWERS if n in values), ANSWERS[0])
    return ask(values, asked(values), first_text(values, (name,)), ("instruction", name))


def _only(instances: list[Any]) -> Mapping[str, Any]:
    """The cells of the one instance of a task."""
    if len(instances) != 1 or not isinstance(instances[0], Mapping):
        raise FaultyRow(
            "instances",
            say(
                f"column 'instances' holds {len(instances)} of {{input, output}}, expected one; write a row for each",
                f"'instances' 열에 {{input, output}}이 {len(instances)}개 있습니다. 하나여야 하니 각각을 한 행으로 쓰세요",
            ),
        )
    return by_name(instances[0])
