"""What a chat template writes around messages, taken apart by rendering short conversations of private-use characters.

    start | system frame | user frame | before an answer | after an answer       generation prompt

The frame of a message is what stands before and after it. Knows text, no ids; what a template refuses stays out.
"""

import re
from collections.abc import Sequence

from dadeum.core.errors import DataError
from dadeum.data.template import ChatTemplate

PLACES = ("start", "system", "user", "before_answer", "after_answer", "generation_prompt", "elsewhere")
# How control tokens are written; what a template writes so is meant to be one token.
CONTROL = re.compile(
    r"<\|[^|<>\s]{1,48}\|?>|<[^|<>\s]{1,48}\|>|<｜[^｜<>]{1,48}｜>|</?(?:s|bos|eos|start_of_turn|end_of_turn)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS)\]|<</?SYS>>"
)
SYSTEM, ASKED, ANSWERED, AGAIN = (chr(0xE000 + i) * 3 for i in range(4))


def frames(template: ChatTemplate, special: Sequence[str], bos: str | None = None) -> dict[str, str]:
    """Place to the text that the template writes there; places where it writes nothing are left out."""
    tokens = re.compile("|".join([*map(re.escape, sorted(special, key=len, reverse=True)), CONTROL.pattern]))
    user, answer = _message("user", ASKED), _message("assistant", ANSWERED)
    asked = _parts(template, [user], ASKED)
    prompt = _parts(template, [user], ASKED, prompt=True)
    answered = _parts(template, [user, answer], ASKED, ANSWERED)
    again = _parts(template, [user, answer, _message("user", AGAIN)], ASKED, ANSWERED, AGAIN)
    system = _parts(template, [_message("system", SYSTEM), user], SYSTEM, ASKED)

    found = dict.fromkeys(PLACES, "")
    head = next((p[0] for p in (asked, prompt, answered, system) if p), "")
    if answered:
        found["after_answer"] = answered[2]
    opening = again[2][_common(again[2], found["after_answer"], tokens) :] if again else head
    closing = ""
    if asked:
        closing = asked[1][: _common(asked[1], answered[1], tokens)] if answered else asked[1]
    found["user"] = opening + closing
    if answered:
        found["before_answer"] = answered[1][len(closing) :]
    if prompt:
        found["generation_prompt"] = prompt[1][_common(prompt[1], asked[1], tokens) if asked else 0 :]
    start = _start(head, opening, tokens) if again else ""
    if system and not system[0].startswith(start):  # a system prompt of the template's own stands in it
        start = ""
    if not start and bos and head.startswith(bos) and bos not in opening:
        start = bos
    found["start"] = start
    default = head.removeprefix(start).removesuffix(opening)  # what it writes there without being given one
    if system:
        default += system[0].removeprefix(start) + system[1].removesuffix(opening)
    found["system"] = default
    return {place: text for place, text in found.items() if text}


def places(name: str, found: dict[str, str], source: str) -> tuple[str, ...]:
    """Where the template uses a token; `elsewhere` in other branches of its text only (tools, pictures)."""
    here = [place for place in PLACES if name in found.get(place, "")]
    return tuple(here) or (("elsewhere",) if name in source else ())


def control_strings(found: dict[str, str]) -> list[str]:
    """What looks like a control token in the frames, in order."""
    return list(dict.fromkeys(m[0] for place in PLACES for m in CONTROL.finditer(found.get(place, ""))))


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _parts(
    template: ChatTemplate, messages: Sequence[dict[str, str]], *marks: str, prompt: bool = False
) -> list[str] | None:
    """The render cut at its contents; None where the template refuses, drops or repeats one."""
    try:
        text = template.render(messages, add_generation_prompt=prompt)
    except DataError:
        return None
    parts = re.split("|".join(marks), text)
    whole = len(parts) == len(marks) + 1 and all(text.count(mark) == 1 for mark in marks)
    return parts if whole and re.findall("|".join(marks), text) == list(marks) else None


def _common(one: str, other: str, tokens: re.Pattern[str]) -> int:
    """Length of what both begin with, never ending inside a token."""
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    for text in (one, other):
        for match in tokens.finditer(text):
            if match.start() < length < match.end():
                length = match.start()
    return length


def _start(head: str, opening: str, tokens: re.Pattern[str]) -> str:
    """What begins every conversation: up to the first token that also opens a later message."""
    first = tokens.search(opening)
    if first is None:
        return head.removesuffix(opening) if opening else ""
    return head.partition(first[0])[0] if first[0] in head else ""
