"""What is done to every text, and what no row may hold."""

import unicodedata
from dataclasses import dataclass, replace

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation, Message


@dataclass
class Changes:
    """Rows in which cleaning changed something."""

    nfc: int = 0
    line_ends: int = 0


def _check(text: str) -> None:
    if "\0" in text:
        raise FaultyRow("no text", say("holds a NUL byte", "NUL 바이트가 있습니다"))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FaultyRow(
            "no text", say("holds half a character (a lone surrogate)", "반쪽 글자(짝 없는 서로게이트)가 있습니다")
        ) from None


class Cleaner:
    """Composes Hangul (NFC) and makes `\\r\\n` one `\\n`; else texts stay as they are. Counts the rows it changed."""

    def __init__(self, system_prompt: str | None) -> None:
        """`system_prompt` is put before the messages of rows that have no system message."""
        self.system_prompt = system_prompt
        self.changes = Changes()

    def __call__(self, row: Conversation) -> Conversation:
        """The row, cleaned. Raises FaultyRow where it does not end with an answer."""
        messages = list(row.messages)
        if messages and self.system_prompt and messages[0]["role"] != "system":
            messages.insert(0, {"role": "system", "content": self.system_prompt})
        if row.text is None:
            _check_order(messages)
        before = [*(m["content"] for m in messages), row.text, row.query, row.reference, row.category]
        composed = [None if t is None else self._composed(t) for t in before]
        after = [None if t is None else t.replace("\r\n", "\n") for t in composed]
        self.changes.nfc += composed != before
        self.changes.line_ends += after != composed
        contents, rest = after[: len(messages)], after[len(messages) :]
        clean: tuple[Message, ...] = tuple(
            {"role": m["role"], "content": c or ""} for m, c in zip(messages, contents, strict=True)
        )
        return replace(row, messages=clean, text=rest[0], query=rest[1], reference=rest[2], category=rest[3])

    @staticmethod
    def _composed(text: str) -> str:
        _check(text)
        return unicodedata.normalize("NFC", text)


def _check_order(messages: list[Message]) -> None:
    if not messages or messages[-1]["role"] != "assistant":
        raise FaultyRow(
            "no answer",
            say(
                "the last message is not the assistant's: no answer",
                "마지막 메시지가 assistant의 것이 아니어서 답이 없습니다",
            ),
        )
    turns = [m for m in messages if m["role"] != "system"]
    if turns[0]["role"] != "user":
        raise FaultyRow("no question", say("no question stands before the first answer", "첫 답 앞에 질문이 없습니다"))
    if not messages[-1]["content"].strip():
        raise FaultyRow("no answer", say("the answer is blank", "답이 비어 있습니다"))
