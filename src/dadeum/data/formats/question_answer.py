"""Rows of a question and its answer, under any of the usual pairs of names."""

from collections.abc import Collection, Mapping
from typing import Any

from dadeum.data.cells import first_text
from dadeum.data.formats import TALK, Conversation
from dadeum.data.formats._turns import BESIDE, answer, ask, conversation, question, turns

COLUMNS = "question, answer (or Q/A, 질문/답변, prompt/completion, prompt/response, query/response)"
PAIRS = (
    ("question", "answer"),
    ("q", "a"),
    ("질문", "답변"),
    ("질문", "답"),
    ("질문", "대답"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("query", "response"),
)
# Of these either may be messages, as in TRL.
IN_MESSAGES = ("prompt", "completion")
CONTEXTS = ("context", "지문")
READS = (*dict.fromkeys(name for pair in PAIRS for name in pair), *CONTEXTS, *BESIDE)
RANK = TALK


def _pairs(columns: Collection[str]) -> list[tuple[str, str]]:
    return [pair for pair in PAIRS if pair[0] in columns and pair[1] in columns]


def matches(columns: frozenset[str]) -> bool:
    """Exactly one of the pairs."""
    return len(_pairs(columns)) == 1


def convert(values: Mapping[str, Any]) -> Conversation:
    """The question, after its context and a blank line where there is one."""
    names = next(iter(_pairs(values)), None) or _half(values)
    asked, said = (values.get(name) for name in names)
    if names == IN_MESSAGES and any(isinstance(value, list | tuple) for value in (asked, said)):
        whole = isinstance(asked, list | tuple)
        before = turns(asked, names[0]) if whole else [question(first_text(values, names[:1]), names[0])]
        return conversation(values, [*before, *answer(said, names[1])])
    text = first_text(values, names[:1])
    context = first_text(values, CONTEXTS)
    if text and context:
        text = f"{context}\n\n{text}"
    return ask(values, text, first_text(values, names[1:]), names)


def _half(values: Mapping[str, Any]) -> tuple[str, str]:
    """The pair of which a row of JSON left one half out."""
    return next((pair for pair in PAIRS if pair[0] in values or pair[1] in values), PAIRS[0])
