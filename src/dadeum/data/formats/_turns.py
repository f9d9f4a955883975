"""Turns of a conversation, however a data set spells them."""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, first_text, list_of
from dadeum.data.formats import Conversation, Message

ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
}
SYSTEM = ("system", "system_prompt")
# Parts of a message that change what the answer means and are not rendered here.
NOT_RENDERED = ("tool_calls", "function_call", "reasoning_content", "thinking")


def content_of(value: Any, place: str) -> str:
    """Content of a message: text, or a list of text parts. Blank is an error."""
    if isinstance(value, list):
        if not all(isinstance(p, dict) and p.get("type") == "text" and isinstance(p.get("text"), str) for p in value):
            raise FaultyRow(
                "no text", say(f"{place} holds parts that are no text", f"{place}에 글이 아닌 부분이 있습니다")
            )
        value = "".join(p["text"] for p in value)
    if not isinstance(value, str) or not value.strip():
        kind = "no answer" if "assistant" in place else "no question"
        raise FaultyRow(kind, say(f"{place} is blank", f"{place}이(가) 비어 있습니다"))
    return value


def message(role: Any, content: Any, number: int) -> Message:
    """One message under our names of the roles."""
    known = ROLES.get(str(role).strip().lower())
    if known is None:
        expected = ", ".join(sorted(ROLES))
        raise FaultyRow(
            "unknown role",
            say(
                f"message {number}: found role '{role}', expected one of: {expected}",
                f"메시지 {number}: '{role}' 역할을 모릅니다. 쓸 수 있는 역할: {expected}",
            ),
        )
    return {
        "role": known,
        "content": content_of(content, say(f"message {number} ({known})", f"메시지 {number} ({known})")),
    }


def turns(value: Any, column: str) -> list[Message]:
    """A list of `{role, content}`, `{from, value}` or `{human, assistant}`."""
    found: list[Message] = []
    for number, turn in enumerate(list_of(value, column), 1):
        if not isinstance(turn, Mapping):
            raise FaultyRow(
                "no messages", say(f"message {number} is no mapping", f"메시지 {number}이(가) 객체가 아닙니다")
            )
        extra = next((key for key in NOT_RENDERED if turn.get(key)), None)
        if extra:
            raise FaultyRow(
                "tools or reasoning apart",
                say(
                    f"message {number} holds '{extra}', which is not rendered",
                    f"메시지 {number}의 '{extra}'은(는) 쓰이지 않습니다",
                ),
            )
        if str(turn.get("role", turn.get("from"))).lower() == "system" and not (
            turn.get("content") or turn.get("value")
        ):
            continue
        if "role" in turn:
            found.append(message(turn["role"], turn.get("content"), number))
        elif "from" in turn:
            found.append(message(turn["from"], turn.get("value"), number))
        elif "human" in turn and "assistant" in turn:
            found += [message("user", turn["human"], number), message("assistant", turn["assistant"], number)]
        else:
            raise FaultyRow("no messages", say(f"message {number} has no role", f"메시지 {number}에 역할이 없습니다"))
    if not found:
        raise FaultyRow("no messages", say(f"column '{column}' holds no message", f"'{column}' 열에 메시지가 없습니다"))
    return found


def history(values: Mapping[str, Any]) -> list[Message]:
    """Earlier turns of a column `history`: a list of [question, answer]."""
    found: list[Message] = []
    for pair in list_of(values.get("history"), "history"):
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise FaultyRow(
                "no messages", say("column 'history' holds no pairs", "'history' 열이 쌍의 목록이 아닙니다")
            )
        found += [message("user", pair[0], len(found) + 1), message("assistant", pair[1], len(found) + 2)]
    return found


def conversation(values: Mapping[str, Any], messages: list[Message]) -> Conversation:
    """Add the system message of the row's own column and its category; refuse what cannot be answered or shown."""
    for column in ("images", "image", "videos", "audios", "tools"):
        if values.get(column) not in (None, "", [], "[]"):
            raise FaultyRow(
                "not text alone",
                say(
                    f"column '{column}' is not read; the row needs it", f"이 행에 필요한 '{column}' 열을 읽지 않습니다"
                ),
            )
    system = first_text(values, SYSTEM)
    if system is not None and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": system}, *messages]
    return Conversation(tuple(messages), category=first_text(values, ("category",)))


def ask(values: Mapping[str, Any], question: str | None, answer: str | None, names: tuple[str, str]) -> Conversation:
    """Question and answer as two messages, after the row's history. Raises FaultyRow where one is blank."""
    if question is None:
        raise FaultyRow(
            "no question", say(f"column '{names[0]}' is blank: no question", f"'{names[0]}' 열이 비어 질문이 없습니다")
        )
    if answer is None:
        raise FaultyRow(
            "no answer", say(f"column '{names[1]}' is blank: no answer", f"'{names[1]}' 열이 비어 답이 없습니다")
        )
    pair = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return conversation(values, [*history(values), *pair])
