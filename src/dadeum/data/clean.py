"""What is done to every text, and what no row may hold."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from dadeum.core.language import say
from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation, Message

PLAIN = ("role", "content")  # all that most messages hold


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
        """The row, cleaned, its tools in the first message; of a pair both conversations.

        Raises FaultyRow where it does not end with an answer, and where the two answers of a pair are one.
        """
        if not row.rejected:
            return self._cleaned(row)
        before = (self.changes.nfc, self.changes.line_ends)
        better, worse = (self._cleaned(row._replace(messages=said)) for said in (row.messages, row.rejected))
        now = (self.changes.nfc, self.changes.line_ends)
        self.changes.nfc, self.changes.line_ends = (a + min(1, b - a) for a, b in zip(before, now, strict=True))
        _check_pair(better.messages[-1], worse.messages[-1])
        return better._replace(rejected=worse.messages)

    def _cleaned(self, row: Conversation) -> Conversation:
        messages = list(row.messages)
        if messages and self.system_prompt and messages[0]["role"] != "system":
            messages.insert(0, {"role": "system", "content": self.system_prompt})
        if row.text is None:
            _check_order(messages)
        if messages and row.tools:
            messages[0] = {**messages[0], "tools": list(row.tools)}
        elif not row.tools and len(messages) == len(row.messages) and _clean_already(row):
            return row
        beside = [row.text, row.query, row.reference, row.category, row.second]
        before = [*(m["content"] for m in messages), *beside, *row.words, *row.choices, *row.answers]
        composed = [None if t is None else self._composed(t) for t in before]
        after = [None if t is None else t.replace("\r\n", "\n") for t in composed]
        more = [{} if len(m) == 2 else {k: v for k, v in m.items() if k not in PLAIN} for m in messages]
        more_composed = _each(more, self._composed) if any(more) else more
        more_after = _each(more_composed, lambda text: text.replace("\r\n", "\n")) if any(more) else more
        self.changes.nfc += composed != before or more_composed != more
        self.changes.line_ends += after != composed or more_after != more_composed
        contents, rest = after[: len(messages)], after[len(messages) :]
        clean: tuple[Message, ...] = tuple(
            {"role": m["role"], "content": c or "", **e} for m, c, e in zip(messages, contents, more_after, strict=True)
        )
        many = [text or "" for text in rest[len(beside) :]]
        words, choices, answers = (
            tuple(many[begin:end])
            for begin, end in pairwise(accumulate(map(len, (row.words, row.choices, row.answers)), initial=0))
        )
        if words:  # what stands across two words stays as it was
            rest[0] = (" " if len(row.text or "") > sum(map(len, row.words)) else "").join(words)
        return row._replace(
            messages=clean,
            tools=(),
            text=rest[0],
            query=rest[1],
            reference=rest[2],
            category=rest[3],
            second=rest[4],
            words=words,
            choices=choices,
            answers=answers,
        )

    @staticmethod
    def _composed(text: str) -> str:
        _check(text)
        return unicodedata.normalize("NFC", text)


def _clean_already(row: Conversation) -> bool:
    """Whether it is text alone of which nothing is to be changed or refused: looked at as a whole, for speed."""
    if any(len(m) != 2 for m in row.messages):
        return False
    texts = [m["content"] for m in row.messages]
    beside = (row.text, row.query, row.reference, row.category, row.second, *row.words, *row.choices, *row.answers)
    texts += [text for text in beside if text is not None]
    whole = "\n".join(texts)  # nothing composes across a line break
    try:
        whole.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in whole and "\r\n" not in whole and unicodedata.is_normalized("NFC", whole)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """The same value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_each(key, change): _each(item, change) for key, item in value.items()}
    return [_each(item, change) for item in value] if isinstance(value, list | tuple) else value


def _check_pair(better: Message, worse: Message) -> None:
    one, other = ({**message, "content": message["content"].strip()} for message in (better, worse))
    if one == other:
        raise FaultyRow(
            "same answers",
            say(
                "the chosen and the rejected answer are the same: there is nothing to prefer",
                "나은 답(chosen)과 못한 답(rejected)이 같아 고를 것이 없습니다",
            ),
        )


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
    if not messages[-1]["content"].strip() and not messages[-1].get("tool_calls"):
        raise FaultyRow("no answer", say("the answer is blank", "답이 비어 있습니다"))
