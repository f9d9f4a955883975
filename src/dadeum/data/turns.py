"""What a conversation must be before it is rendered, and which of its turns are trained."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.extras import CALLS, EXTRAS, is_call
from dadeum.data.template import Message

TrainOn = Literal["all", "assistant", "last_assistant"]
# Templates write roles as they are: a role is a word, and can hold no control token.
ROLE = re.compile(r"[A-Za-z]\w{0,40}")
USUAL = ("user", "assistant", "system", "tool")
# What an assistant's message may hold when it is trained: other keys would be rendered and not trained.
TRAINED_KEYS = frozenset({"role", "content", "name", *EXTRAS})
# What an answer counts in training, beside 1; no template sees it.
WEIGHT = "weight"
# Not said by the message: the first one carries the tools of the conversation.
ASIDE = {"role", "content", "tools", WEIGHT}


def checked(messages: Sequence[Message]) -> list[Message]:
    """The messages, each with a role and text, without their weights. Raises DataError that gives the message's number."""
    if not messages:
        raise DataError(say("the conversation has no message", "대화에 메시지가 없습니다"))
    for number, message in enumerate(messages, 1):
        role, content = message.get("role"), message.get("content")
        if role not in USUAL and (not isinstance(role, str) or not ROLE.fullmatch(role)):
            raise DataError(
                say(
                    f"message {number}: found role {role!r}, expected a word such as system, user, assistant or tool",
                    f"메시지 {number}: role이 {role!r}입니다. system, user, assistant, tool 같은 낱말이어야 합니다",
                )
            )
        # A message without text makes sense only with something else in it, such as tool calls.
        if not isinstance(content, str) and (content is not None or not set(message) - ASIDE):
            raise DataError(
                say(
                    f"message {number}: found content of type {type(content).__name__}, expected text",
                    f"메시지 {number}: content가 {type(content).__name__}입니다. 글이어야 합니다",
                )
            )
    return unweighed(messages)


def unweighed(messages: Sequence[Message]) -> list[Message]:
    """The messages without what they count in training."""
    return [{k: v for k, v in m.items() if k != WEIGHT} if WEIGHT in m else m for m in messages]


def weighed_turns(messages: Sequence[Message], train_on: TrainOn) -> list[tuple[int, float]]:
    """Trained turns, and what each token of theirs counts; an answer of weight 0 is none of them.

    Raises DataError where the conversation has nothing to train.
    """
    turns = trained_turns(unweighed(messages), train_on)
    if all(WEIGHT not in message for message in messages):
        return [(index, 1.0) for index in turns]
    if train_on == "all":
        raise DataError(
            say(
                "data.train_on: 'all' trains every token alike, but a message has a weight of its own; use 'assistant', or "
                "take the weights out",
                "data.train_on: 'all'은 모든 토큰을 똑같이 학습하는데 자기 weight가 있는 메시지가 있습니다. 'assistant'를 쓰거나 weight를 빼세요",
            )
        )
    found = [(index, float(messages[index].get(WEIGHT, 1.0))) for index in turns]
    trained = [(index, weight) for index, weight in found if weight > 0]
    if not trained:
        raise DataError(
            say(
                "every answer that would be trained has weight 0",
                "학습할 답의 weight가 모두 0입니다",
            )
        )
    return trained


def last_trained(messages: Sequence[Message]) -> Sequence[Message]:
    """The conversation up to its last answer that counts."""
    ends = [n for n, m in enumerate(messages, 1) if m["role"] == "assistant" and m.get(WEIGHT, 1.0) > 0]
    return messages[: ends[-1]] if ends else messages


def trained_turns(messages: Sequence[Message], train_on: TrainOn) -> list[int]:
    """Indices of the trained turns. Raises DataError where the conversation has nothing to train."""
    answers = [i for i, m in enumerate(messages) if m["role"] == "assistant"]
    if not answers or answers[-1] != len(messages) - 1:
        raise DataError(
            say(
                "the conversation has no answer: its last message must be the assistant's",
                "대화에 답이 없습니다. 마지막 메시지는 assistant의 것이어야 합니다",
            )
        )
    chosen = answers if train_on == "assistant" else answers[-1:]
    for index in chosen:
        fault = _fault(messages[index], index)
        if fault:
            raise DataError(fault)
    return chosen


def _fault(message: Message, index: int) -> str | None:
    unknown = sorted(set(message) - TRAINED_KEYS)
    if unknown:
        known = ", ".join(("content", *EXTRAS))
        return say(
            f"message {index + 1}: '{unknown[0]}' of an answer cannot be trained, only {known}",
            f"메시지 {index + 1}: 답의 '{unknown[0]}'은(는) 학습할 수 없습니다. {known}만 학습합니다",
        )
    if not all(is_call(call) for call in message.get(CALLS) or ()):
        return say(
            f"message {index + 1}: 'tool_calls' holds something that is no call, expected {{function: {{name, arguments}}}}",
            f"메시지 {index + 1}: 'tool_calls'에 호출이 아닌 것이 있습니다. {{function: {{name, arguments}}}}여야 합니다",
        )
    if index == 0:
        return say("message 1: an answer needs a message before it", "메시지 1: 답 앞에 메시지가 있어야 합니다")
    if not str(message.get("content") or "").strip() and not message.get(CALLS):
        return say(f"message {index + 1}: the answer is empty", f"메시지 {index + 1}: 답이 비어 있습니다")
    return None


def strings(messages: Sequence[Message]) -> Iterator[str]:
    """Every text in the messages, roles aside; names of arguments too."""
    for message in messages:
        for key, value in message.items():
            if type(value) is str:
                if key != "role":
                    yield value
            else:
                yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
