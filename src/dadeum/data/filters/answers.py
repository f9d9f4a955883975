"""Answers that teach nothing: without a letter, the question again, the same for many questions.

What is a refusal or a placeholder is not guessed: the filter `regex` takes out what one calls so.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.data.filters import Drop, Seen, Sieve, Tools, Verdict, When, _texts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from dadeum.data.keys import Column

# Punctuation, separators, control and format characters: letters, digits, emoji and signs say something.
EMPTY = ("P", "Z", "C")


class Settings(MemberSettings):
    """Rows whose answer says something of its own stay; blank cells are faulty rows before any filter."""

    type: Literal["answers"] = "answers"
    empty: bool = setting(
        True,
        "Drop answers of punctuation, white space and invisible characters only.",
        "문장부호, 공백, 보이지 않는 글자뿐인 답을 뺍니다.",
    )
    same_as_question: bool = setting(
        True,
        "Drop answers that are the question again, case and white space aside.",
        "질문을 그대로 되풀이한 답을 뺍니다(대소문자와 공백은 무시).",
    )
    max_repeats: int | None = setting(
        None,
        "Keep so many rows with the same answer, case and white space aside: the first ones, those of the test part before others.",
        "같은 답(대소문자와 공백은 무시)을 가진 행을 이만큼만 둡니다. 먼저 읽은 것을, 시험 부분의 것을 우선합니다.",
        ge=1,
    )


def build(settings: Settings, tools: Tools) -> Sieve:
    """The filter."""
    return Answers(tools, settings)


@dataclass
class Answers(Sieve):
    """Remembers 17 bytes of each row where repeats are counted."""

    settings: Settings
    parts: bytearray = field(default_factory=bytearray, init=False)

    def __post_init__(self) -> None:
        self.when: When = "read" if self.settings.max_repeats is None else "all"

    @cached_property
    def _keys(self) -> Column:
        from dadeum.data.keys import Column

        return Column()

    def look(self, row: Seen) -> None:
        """Remember the answer; one that goes anyway counts for none of the others."""
        from dadeum.data.keys import digest, normalised
        from dadeum.data.split import number

        # A row of its own kind: its number.
        fault = self._fault(row)
        self._keys.add(
            digest([normalised(_texts.text(row, "answer"))]) if fault is None else digest(["", str(row.number)])
        )
        self.parts.append(number(row.part) % 256)

    @cached_property
    def _gone(self) -> npt.NDArray[np.bool_]:
        import numpy as np

        from dadeum.data.split import places

        return places(self._keys.groups(), np.frombuffer(self.parts, np.int8)) >= (self.settings.max_repeats or 0)

    def judge(self, row: Seen) -> Verdict:
        """Drop what says nothing of its own."""
        fault = self._fault(row)
        if fault is None and self.when == "all" and self._gone[row.number]:
            most = self.settings.max_repeats
            fault = say(f"more than {most} rows have this answer", f"이 답을 가진 행이 {most}개를 넘음")
        return None if fault is None else Drop(fault)

    def _fault(self, row: Seen) -> str | None:
        from dadeum.data.keys import normalised

        answer = _texts.text(row, "answer")
        # A call of a tool is an answer without text.
        spoken = {"role", "content", "name"}.issuperset(row.conversation.messages[-1])
        if self.settings.empty and spoken and all(unicodedata.category(c)[0] in EMPTY for c in answer):
            return say("the answer has no letter, digit or sign", "답에 글자, 숫자, 기호가 없습니다")
        asked = [m["content"] for m in row.conversation.messages if m["role"] == "user"]
        if self.settings.same_as_question and normalised(answer) in map(normalised, asked[-1:]):
            return say("the answer is the question again", "답이 질문과 같습니다")
        return None
