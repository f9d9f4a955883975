"""Turns of a conversation, however a data set spells them."""

from collections.abc import Mapping
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow, first_text, list_of
from dadeum.data.formats import IMAGE, Conversation, Message, _calls, _images, _weights

ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "tool": "tool",
    "observation": "tool",
    "function": "tool",
}
# A role of ShareGPT rows: the message is the call.
CALL = "function_call"
SYSTEM = ("system", "system_prompt")
REASONING = ("reasoning_content", "reasoning", "thinking")
# What rates an answer: true or false.
RATINGS = ("kto_tag", "label")
# Columns that any row of messages may have.
BESIDE = (*SYSTEM, "history", "tools", *_images.COLUMNS, *RATINGS, "category")
UNREAD = ("videos", "video", "audios", "audio")
_ASIDE = frozenset((*BESIDE, *UNREAD))


def _blank(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _parts(value: list[Any], place: str) -> tuple[str, str, list[str]]:
    """Of a message in parts its text, its reasoning, and its images, each of which leaves a mark in the text."""
    texts: list[str] = []
    reasoning: list[str] = []
    images: list[str] = []
    for part in value:
        kind = part.get("type") if isinstance(part, Mapping) else None
        said = next((part[k] for k in ("text", "value", "thinking") if kind and isinstance(part.get(k), str)), None)
        if kind == "text" and said is not None:
            texts.append(said)
        elif kind in ("thinking", "reasoning") and said is not None:
            reasoning.append(said)
        elif kind in _images.PARTS:
            texts.append(IMAGE)
            found = _images.address(part)
            images += [found] if found is not None else []
        else:
            raise FaultyRow(
                "no text",
                say(
                    f"{place} holds parts that are no text and no image: {kind}",
                    f"{place}에 글도 그림도 아닌 부분이 있습니다: {kind}",
                ),
            )
    return "".join(texts), "".join(reasoning), images


def message(role: Any, content: Any, number: int, turn: Mapping[str, Any] | None = None) -> Message:
    """One message under our names of the roles, with what `turn` says beside its content. Raises FaultyRow."""
    given = turn or {}
    known = ROLES.get(role) if type(role) is str else None
    if known is not None and len(given) in (0, 2) and type(content) is str and not (content == "" or content.isspace()):
        return {"role": known, "content": content}  # as nearly all are
    name = str(role).strip().lower()
    if name == CALL:
        calling: Message = {"role": "assistant", "content": "", "tool_calls": _calls.calls(content, number)}
        return calling | _weight(given, number, "assistant")
    known = ROLES.get(name)
    if known is None:
        expected = ", ".join(sorted([*ROLES, CALL]))
        raise FaultyRow(
            "unknown role",
            say(
                f"message {number}: found role '{role}', expected one of: {expected}",
                f"메시지 {number}: '{role}' 역할을 모릅니다. 쓸 수 있는 역할: {expected}",
            ),
        )
    place = say(f"message {number} ({known})", f"메시지 {number} ({known})")
    reasoning = first_text(given, REASONING)
    found: Message = {"role": known, "content": content}
    if isinstance(content, list | tuple):
        found["content"], thought, images = _parts(list(content), place)
        reasoning = reasoning or thought
        if images:
            found["images"] = images
    called = next((given[key] for key in ("tool_calls", CALL) if not _blank(given.get(key))), None)
    if called is not None:
        found["tool_calls"] = _calls.calls(called, number)
    if reasoning:
        found["reasoning_content"] = reasoning
    if known == "tool":
        found |= {key: given[key] for key in ("name", "tool_call_id") if isinstance(given.get(key), str)}
    found |= _weight(given, number, known)
    if _blank(found["content"]) and (called is not None or known == "tool"):
        found["content"] = ""
    elif not isinstance(found["content"], str) or _blank(found["content"]):
        kind = "no answer" if known == "assistant" else "no question"
        raise FaultyRow(kind, say(f"{place} is blank", f"{place}이(가) 비어 있습니다"))
    return found


def _weight(given: Mapping[str, Any], number: int, role: str) -> Message:
    """What an answer counts, where that is not 1. Other messages are not trained, whatever is said of them."""
    place = say(f"message {number} ({role})", f"메시지 {number} ({role})")
    weight = _weights.weight_of(given, place) if given else 1.0
    return {"weight": weight} if role == "assistant" and weight != 1 else {}


def turns(value: Any, column: str) -> list[Message]:
    """A list of `{role, content}`, `{from, value}` or `{human, assistant}`."""
    found: list[Message] = []
    for number, turn in enumerate(list_of(value, column), 1):
        if type(turn) is not dict and not isinstance(turn, Mapping):
            raise FaultyRow(
                "no messages", say(f"message {number} is no mapping", f"메시지 {number}이(가) 객체가 아닙니다")
            )
        role = turn["role"] if "role" in turn else turn.get("from")
        content = turn["content"] if "content" in turn else turn.get("value")
        if _blank(content) and str(role).lower() == "system":
            continue
        if role is not None:
            found.append(message(role, content, number, turn))
        elif "human" in turn and "assistant" in turn:
            found += [message("user", turn["human"], number), message("assistant", turn["assistant"], number)]
        else:
            raise FaultyRow("no messages", say(f"message {number} has no role", f"메시지 {number}에 역할이 없습니다"))
    if not found:
        raise FaultyRow("no messages", say(f"column '{column}' holds no message", f"'{column}' 열에 메시지가 없습니다"))
    return found


def in_messages(value: Any) -> bool:
    """Whether a cell holds messages, as they are or written as JSON, and no text."""
    return isinstance(value, list | tuple | Mapping) or (isinstance(value, str) and value.lstrip().startswith("[{"))


def answer(value: Any, column: str) -> list[Message]:
    """A text, one message or a list of them. Raises FaultyRow where it is blank."""
    if in_messages(value):
        return turns([value] if isinstance(value, Mapping) else value, column)
    text = first_text({column: value}, (column,))
    if text is None:
        raise FaultyRow(
            "no answer", say(f"column '{column}' is blank: no answer", f"'{column}' 열이 비어 답이 없습니다")
        )
    return [{"role": "assistant", "content": text}]


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


def with_system(values: Mapping[str, Any], messages: list[Message]) -> list[Message]:
    """The messages after the system message of the row's own column, unless they have one."""
    system = first_text(values, SYSTEM)
    if system is None or messages[0]["role"] == "system":
        return messages
    return [{"role": "system", "content": system}, *messages]


def _rating(values: Mapping[str, Any]) -> bool | None:
    """Whether the answer is rated good; None where no column says true or false."""
    for name in RATINGS:
        value = values.get(name)
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
    return None


def conversation(values: Mapping[str, Any], messages: list[Message]) -> Conversation:
    """The messages with what the row's other columns say of them; refuse what cannot be shown."""
    if _ASIDE.isdisjoint(values):
        marked, images = _images.placed(messages, [])
        return Conversation(tuple(marked), images=images)
    for column in UNREAD:
        if values.get(column) not in (None, "", [], "[]"):
            raise FaultyRow(
                "not text alone",
                say(
                    f"column '{column}' is not read; the row needs it", f"이 행에 필요한 '{column}' 열을 읽지 않습니다"
                ),
            )
    marked, images = _images.placed(with_system(values, messages), _images.of_column(values))
    return Conversation(
        tuple(marked),
        category=first_text(values, ("category",)),
        tools=_calls.tools(values.get("tools"), "tools"),
        images=images,
        wanted=_rating(values),
    )


def question(text: str | None, column: str) -> Message:
    """The question of a row as a message. Raises FaultyRow where it is blank."""
    if text is None:
        raise FaultyRow(
            "no question", say(f"column '{column}' is blank: no question", f"'{column}' 열이 비어 질문이 없습니다")
        )
    return {"role": "user", "content": text}


def ask(values: Mapping[str, Any], text: str | None, answer: str | None, names: tuple[str, str]) -> Conversation:
    """Question and answer as two messages, after the row's history. Raises FaultyRow where one is blank."""
    asked = question(text, names[0])
    if answer is None:
        raise FaultyRow(
            "no answer", say(f"column '{names[1]}' is blank: no answer", f"'{names[1]}' 열이 비어 답이 없습니다")
        )
    return conversation(values, [*history(values), asked, {"role": "assistant", "content": answer}])
