"""How much of a text is written in one script: the share of its letters. No model, no guess at the language.

Hangul tells Korean; Latin letters tell no English from French. Digits, punctuation and emoji do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import model_validator

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.data.filters import Drop, Seen, Sieve, Tools, Verdict, _texts

Script = Literal["hangul", "latin", "han", "kana", "cyrillic", "greek", "arabic", "hebrew", "devanagari", "thai"]


class Settings(MemberSettings):
    """Rows whose letters are of this script to such a share stay; so do rows without any letter."""

    type: Literal["language_share"] = "language_share"
    script: Script = setting(
        "hangul",
        "The script whose letters are counted among all letters; a script is no language, and no model is asked.",
        "모든 문자 가운데 셀 문자. 문자일 뿐 언어는 아니며, 모델을 쓰지 않습니다.",
    )
    of: _texts.Of = setting("whole", *_texts.OF)
    min: float | None = setting(None, "Smallest share.", "최소 비율.", ge=0, le=1)
    max: float | None = setting(None, "Largest share.", "최대 비율.", ge=0, le=1)

    @model_validator(mode="after")
    def _says_something(self) -> Settings:
        if self.min is None and self.max is None:
            raise ValueError(say("expected min, max or both", "min이나 max가 필요합니다"))
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(
                say(
                    f"no share is from {self.min} to {self.max}, expected the smaller number first",
                    f"{self.min}부터 {self.max}까지인 비율은 없습니다. 최소가 최대보다 큽니다",
                )
            )
        return self


def build(settings: Settings, tools: Tools) -> Sieve:
    """The filter."""
    return LanguageShare(tools, settings)


@dataclass
class LanguageShare(Sieve):
    """Counts letters by the Script property of Unicode."""

    settings: Settings

    @cached_property
    def _others(self) -> Any:
        import regex

        names = {"kana": r"\p{Hiragana}\p{Katakana}"}.get(self.settings.script, rf"\p{{{self.settings.script}}}")
        return regex.compile(rf"[\p{{L}}--[{names}]]+", regex.V1)

    @cached_property
    def _rest(self) -> Any:
        import regex

        return regex.compile(r"\P{L}+")

    def judge(self, row: Seen) -> Verdict:
        """Drop what has too few or too many of these letters."""
        letters = self._rest.sub("", _texts.text(row, self.settings.of))
        if not letters:
            return None
        share = len(self._others.sub("", letters)) / len(letters)
        low, high = self.settings.min, self.settings.max
        if (low is None or share >= low) and (high is None or share <= high):
            return None
        limit = low if low is not None and share < low else high
        script = self.settings.script
        return Drop(
            say(
                f"{share:.1%} of the letters are {script}, the limit is {limit:.1%}",
                f"문자의 {share:.1%}가 {script}입니다. 한계는 {limit:.1%}",
            )
        )
