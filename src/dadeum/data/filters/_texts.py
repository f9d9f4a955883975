"""Which text of a row a filter is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.data.filters import Seen
from dadeum.data.formats import Conversation

# What names and kinds of things are called: no text of anybody.
FIXED = ("role", "type", "name", "tool_call_id", "category", "group", "tools", "images")
Of = Literal["question", "answer", "whole"]
OF = (
    "Which text: the messages before the last answer but for the system's, the last answer, or both.",
    "어느 글인지: 마지막 답 앞의 메시지들(시스템 메시지 빼고), 마지막 답, 또는 둘 다.",
)


def text(row: Seen, of: Of) -> str:
    """That text of the row, messages below each other. Raises DataError where plain text is asked for its answer."""
    conversation = row.conversation
    if conversation.text is not None:
        if of != "whole":
            raise DataError(
                say(
                    f"data.filters: {row.where} is plain text and has no {of}; use of: whole",
                    f"data.filters: {row.where}은(는) 그냥 글이라 {of}이(가) 없습니다. of: whole로 쓰세요",
                )
            )
        return conversation.text
    spoken = [m["content"] for m in conversation.messages if m["role"] != "system"]
    return "\n".join({"question": spoken[:-1], "answer": spoken[-1:], "whole": spoken}[of])


def named(of: Of) -> str:
    """The text in a sentence."""
    return say(
        {"question": "the question", "answer": "the answer", "whole": "the row"}[of],
        {"question": "질문", "answer": "답", "whole": "행"}[of],
    )


def mapped(conversation: Conversation, change: Callable[[str], str]) -> Conversation:
    """The row with every text in it changed: messages with all they hold but their roles, plain text, what is asked and expected.

    Whatever else a row may come to say is changed too, but for its category and its group.
    """
    said = {name: value for name, value in conversation._asdict().items() if name not in FIXED}
    return conversation._replace(**{name: _mapped(value, change) for name, value in said.items()})


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: item if key in FIXED else _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mapped(item, change) for item in value)
    return value
