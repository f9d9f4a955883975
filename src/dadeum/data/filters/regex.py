"""Rows in which a regular expression is found, or is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import field_validator

from dadeum.core.errors import DataError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.data.filters import Drop, Seen, Sieve, Tools, Verdict, _texts


class Settings(MemberSettings):
    """Rows that match go out, or only they stay."""

    type: Literal["regex"] = "regex"
    pattern: str = setting(
        ...,
        "Python regular expression, found anywhere in the text; `(?i)` at its beginning ignores case.",
        "글 어디에서든 찾을 파이썬 정규식. 맨 앞의 `(?i)`는 대소문자를 무시합니다.",
        min_length=1,
    )
    matching: Literal["drop", "keep"] = setting(
        "drop", "Rows that match: drop them, or keep only them.", "맞는 행을 빼기, 또는 맞는 행만 두기."
    )
    of: _texts.Of = setting("whole", *_texts.OF)
    seconds: float = setting(
        1.0,
        "Longest time for one row; a pattern that takes more stops the stage.",
        "한 행에 쓸 최대 초. 더 걸리는 정규식은 단계를 멈춥니다.",
        gt=0,
        le=60,
    )

    @field_validator("pattern")
    @classmethod
    def _is_one(cls, value: str) -> str:
        import regex

        try:
            regex.compile(value)
        except regex.error as error:
            raise ValueError(
                say(
                    f"found '{value}', which is no regular expression ({error})",
                    f"'{value}'은(는) 정규식이 아닙니다 ({error})",
                )
            ) from None
        return value


def build(settings: Settings, tools: Tools) -> Sieve:
    """The filter."""
    return Regex(tools, settings)


@dataclass
class Regex(Sieve):
    """Searches with a time limit: some patterns take ages on some texts."""

    settings: Settings

    @cached_property
    def _compiled(self) -> Any:
        import regex

        return regex.compile(self.settings.pattern)

    def judge(self, row: Seen) -> Verdict:
        """Drop what matches, or what does not."""
        pattern, seconds = self.settings.pattern, self.settings.seconds
        try:
            found = self._compiled.search(_texts.text(row, self.settings.of), timeout=seconds)
        except TimeoutError:
            raise DataError(
                say(
                    f"data.filters: the pattern '{pattern}' takes more than {seconds:g} s on {row.where}; "
                    "write it with fewer repeats such as .* and (a+)+, or raise seconds",
                    f"data.filters: 정규식 '{pattern}'이(가) {row.where}에서 {seconds:g}초를 넘습니다. "
                    ".*나 (a+)+ 같은 반복을 줄이거나 seconds를 늘리세요",
                )
            ) from None
        if (found is None) == (self.settings.matching == "keep"):
            return Drop(
                say(f"does not match '{pattern}'", f"'{pattern}'에 맞지 않음")
                if found is None
                else say(f"matches '{pattern}'", f"'{pattern}'에 맞음")
            )
        return None
