"""Turns that say more than text: calls of tools, and reasoning that stands apart from the answer.

What a template writes for such a turn cannot be placed like an answer, so all that it writes after the prompt is the
target. Before that is trained, it must hold everything that the turn says: each text is looked for in the render, and
the same turn in other words must be rendered in these words. Knows text, no ids.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.template import Message

CALLS, REASONING = "tool_calls", "reasoning_content"
EXTRAS = (CALLS, REASONING)
FIRST = 0xE000  # of the private-use characters


def says_more(message: Message) -> bool:
    """Whether the message calls tools or holds reasoning."""
    return bool(message.get(CALLS) or message.get(REASONING))


def is_call(value: Any) -> bool:
    """Whether this is a call with a name."""
    inner = _function(value) if isinstance(value, Mapping) else None
    return isinstance(inner, Mapping) and isinstance(inner.get("name"), str)


def needs_tools(messages: Sequence[Message]) -> bool:
    """Whether the conversation holds what templates without tools do not foresee."""
    return any(m["role"] == "tool" or m.get("tools") or says_more(m) for m in messages)


def neutral(message: Message) -> Message:
    """The same turn in other words, each a private-use character."""
    words = map(chr, itertools.count(FIRST))
    made = dict(message)
    for key in ("content", REASONING):
        if str(message.get(key) or "").strip():
            made[key] = next(words)
    if message.get(CALLS):
        made[CALLS] = [_other_call(call, words) for call in message[CALLS]]
    return made


def _other_call(call: Mapping[str, Any], words: Iterator[str]) -> Mapping[str, Any]:
    inner = _function(call)
    name, key, value = next(words), next(words), next(words)
    said = {key: value} if isinstance(inner.get("arguments"), Mapping) else key
    other = {**inner, "name": name, "arguments": said}
    return {**call, "function": other} if "function" in call else other


def unwritten(message: Message, rest: str) -> str | None:
    """The first thing that the turn says and `rest` does not, by the name of its key; None where all is there."""
    for key in ("content", *EXTRAS):
        if any(not _stands(leaf, rest) for leaf in _leaves(_said(message, key))):
            return key
    return None


def result_lost(messages: Sequence[Message], text: str) -> int | None:
    """The index of a tool's result that the render leaves out; None where all are there."""
    for index, message in enumerate(messages):
        if message["role"] == "tool" and not _stands(str(message.get("content") or ""), text):
            try:
                parsed = json.loads(str(message.get("content")))
            except ValueError:
                return index
            if any(not _stands(leaf, text) for leaf in _leaves(parsed)):
                return index
    return None


def dropped(template: str, index: int, key: str) -> DataError:
    """That a template leaves out a part of the turn."""
    return DataError(
        say(
            f"the chat template of {template} does not write '{key}' of message {index + 1} (or not all of it); change the row, "
            "or choose another tokenizer.chat_template",
            f"{template}의 대화 템플릿이 메시지 {index + 1}의 '{key}'을(를) 쓰지 않거나 일부만 씁니다. "
            "행을 바꾸거나 다른 tokenizer.chat_template을 고르세요",
        )
    )


def _said(message: Message, key: str) -> Any:
    if key != CALLS:
        return str(message.get(key) or "")
    called = [_function(call) for call in message.get(CALLS) or ()]
    return [[inner.get("name"), inner.get("arguments") or {}] for inner in called]


def _function(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """Name and arguments of a call, with or without the frame `{type: function, function: …}`."""
    inner: Mapping[str, Any] = call.get("function", call)
    return inner


def _leaves(value: Any) -> Iterator[Any]:
    """Every text and number, names of arguments too."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield name
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _stands(leaf: Any, text: str) -> bool:
    """Whether the text says this, plainly or as JSON or Python write it."""
    if not isinstance(leaf, str):
        return any(form in text for form in (json.dumps(leaf), str(leaf)))
    plain = leaf.strip()
    forms = (plain, json.dumps(plain, ensure_ascii=False)[1:-1], json.dumps(plain)[1:-1], repr(plain)[1:-1])
    return any(form in text for form in forms)
