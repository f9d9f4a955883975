"""Reasoning that a model writes before its answer, between think tags: no part of the answer."""

import re

OPEN, CLOSE = "<think>", "</think>"
CLOSED = re.compile(r"<think>.*?</think>", re.DOTALL)


def without_reasoning(text: str, *, opened: bool = False) -> tuple[str, bool]:
    """The answer alone, and whether there was reasoning.

    A tag that is never closed takes everything after it. `opened`: the prompt itself ended with the opening tag.
    """
    if opened:
        text = OPEN + text
    elif CLOSE in text and OPEN not in text.split(CLOSE)[0]:
        text = OPEN + text  # some templates open the tag in the prompt and mark it nowhere
    answer = CLOSED.sub("", text)
    answer = answer.split(OPEN)[0]
    return answer.strip(), answer != text
