"""A question with several answers of which one is right: a list of them, or a column each (KMMLU's A, B, C, D)."""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, first_text, list_of, text_of
from dadeum.data.formats import WANTED, Conversation
from dadeum.data.labels import LETTERS, name

COLUMNS = "question (or context, premise …), choices (or options, endings; or A, B, C, D; choice1, choice2 …), answer (or label)"
QUESTIONS = ("question", "query", "prompt", "stem", "ctx", "질문")
CONTEXTS = ("context", "passage", "premise", "paragraph", "지문")
LISTS = ("choices", "options", "endings", "answers", "candidates")
# The columns of single answers: what stands before their number, and from where it counts.
NUMBERED = (
    ("choice", 1),
    ("choice", 0),
    ("option", 1),
    ("option", 0),
    ("ending", 0),
    ("ending", 1),
    ("ending_", 1),
    ("choice_", 1),
    ("option_", 1),
)
RIGHT = ("answer", "label", "answerkey", "gold", "correct", "정답")
MOST = 26
LETTERED = tuple(letter.lower() for letter in LETTERS)
READS = (
    *QUESTIONS,
    *CONTEXTS,
    *LISTS,
    *RIGHT,
    *LETTERED[:8],
    *(f"{how}{n}" for how, _ in NUMBERED for n in range(6)),
    "category",
)
RANK = WANTED
GIVES = "choices"


def _columns(columns: Any) -> tuple[str, ...]:
    """The columns of single answers."""
    ways = [LETTERED, *(tuple(f"{how}{first + n}" for n in range(MOST)) for how, first in NUMBERED)]
    for way in ways:
        there = next((n for n, column in enumerate(way) if column not in columns), MOST)
        if there > 1:
            return way[:there]
    return ()


def matches(columns: frozenset[str]) -> bool:
    """A question or a context, answers, and which is right."""
    asked = not columns.isdisjoint((*QUESTIONS, *CONTEXTS))
    return asked and not columns.isdisjoint(RIGHT) and (bool(_columns(columns)) or not columns.isdisjoint(LISTS))


def convert(values: Mapping[str, Any]) -> Conversation:
    """The question after its context, the answers, and what the row says of the right one."""
    parts = [first_text(values, CONTEXTS), first_text(values, QUESTIONS)]
    text = "\n".join(part for part in parts if part)
    if not text:
        raise FaultyRow("no question", say("the question is blank", "질문이 비어 있습니다"))
    choices, letters = _choices(values)
    if len(choices) < 2 or not all(one.strip() for one in choices):
        raise FaultyRow(
            "no answers",
            say("expected two answers or more, none of them blank", "답이 둘 이상이어야 하고 빈 답이 없어야 합니다"),
        )
    column = next((name for name in RIGHT if text_of(values.get(name), name) is not None), None)
    if column is None:
        blank = next((name for name in RIGHT if name in values), RIGHT[0])
        raise FaultyRow("no label", say(f"no label: column '{blank}' is blank", f"'{blank}' 열이 비어 라벨이 없습니다"))
    right = values[column]
    if letters and name(right) in letters:  # how ARC names its answers
        right = LETTERS[letters.index(name(right))]
    return Conversation(text=text, choices=choices, labels={column: right}, category=first_text(values, ("category",)))


def _choices(values: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """The answers, and how the row calls them, where it does."""
    column = next((name for name in LISTS if name in values), None)
    if column is None:
        return tuple(text_of(values.get(name), name) or "" for name in _columns(values)), []
    cell = values[column]
    if isinstance(cell, Mapping) and "text" in cell:
        return tuple(map(str, cell["text"])), [name(label) for label in cell.get("label", ())]
    return tuple(text_of(one, column) or "" for one in list_of(cell, column)), []
