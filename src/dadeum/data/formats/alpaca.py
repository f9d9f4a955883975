"""Alpaca rows: `instruction`, an optional `input`, `output`; Dolly's `context` and `response` too."""

from collections.abc import Mapping
from typing import Any

from dadeum.data.cells import first_text
from dadeum.data.formats import Conversation
from dadeum.data.formats._turns import ask

COLUMNS = "instruction, (input), output"
INPUTS = ("input", "context")
ANSWERS = ("output", "response")


def matches(columns: frozenset[str]) -> bool:
    """`instruction` and one column that holds the answer."""
    return "instruction" in columns and len(columns.intersection(ANSWERS)) == 1


def convert(values: Mapping[str, Any]) -> Conversation:
    """The instruction, then a blank line and the input where there is one."""
    instruction = first_text(values, ("instruction",))
    extra = first_text(values, INPUTS)
    question = f"{instruction}\n\n{extra}" if instruction and extra else instruction
    name = next((n for n in ANSWERS if n in values), ANSWERS[0])
    return ask(values, question, first_text(values, (name,)), ("instruction", name))
