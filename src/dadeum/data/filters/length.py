"""Rows that are too short or too long, in tokens or in characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import model_validator

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.data.filters import Drop, Seen, Sieve, Tools, Verdict, _texts


class Settings(MemberSettings):
    """Rows within these lengths stay."""

    type: Literal["length"] = "length"
    of: _texts.Of = setting(
        "whole",
        f"{_texts.OF[0]} The tokens of the whole are those of the chat template, system message and all.",
        f"{_texts.OF[1]} 전체의 토큰은 시스템 메시지까지 대화 템플릿이 쓰는 대로 셉니다.",
    )
    min_tokens: int | None = setting(None, "Fewest tokens.", "최소 토큰 수.", ge=1)
    max_tokens: int | None = setting(None, "Most tokens.", "최대 토큰 수.", ge=1)
    min_characters: int | None = setting(None, "Fewest characters.", "최소 글자 수.", ge=1)
    max_characters: int | None = setting(None, "Most characters.", "최대 글자 수.", ge=1)

    @model_validator(mode="after")
    def _says_something(self) -> Settings:
        pairs = [(self.min_tokens, self.max_tokens), (self.min_characters, self.max_characters)]
        if all(low is None and high is None for low, high in pairs):
            names = "min_tokens, max_tokens, min_characters, max_characters"
            raise ValueError(say(f"expected one of: {names}", f"다음 중 하나가 필요합니다: {names}"))
        for low, high in pairs:
            if low is not None and high is not None and low > high:
                raise ValueError(
                    say(
                        f"no length is from {low} to {high}, expected the smaller number first",
                        f"{low}부터 {high}까지인 길이는 없습니다. 최소가 최대보다 큽니다",
                    )
                )
        return self


def build(settings: Settings, tools: Tools) -> Sieve:
    """The filter."""
    return Length(tools, settings)


@dataclass
class Length(Sieve):
    """Counts characters first: tokens cost more."""

    settings: Settings

    def judge(self, row: Seen) -> Verdict:
        """Drop what is outside of the limits."""
        limits, of = self.settings, self.settings.of
        text = _texts.text(row, of)
        fault = _outside(len(text), limits.min_characters, limits.max_characters, say("characters", "글자"))
        if fault is None and (limits.min_tokens is not None or limits.max_tokens is not None):
            count = self.tools.row_tokens(row.conversation) if of == "whole" else self.tools.text_tokens(text)
            fault = _outside(count, limits.min_tokens, limits.max_tokens, say("tokens", "토큰"))
        if fault is None:
            return None
        return Drop(say(f"{_texts.named(of)} has {fault}", f"{_texts.named(of)}: {fault}"))


def _outside(count: int, low: int | None, high: int | None, unit: str) -> str | None:
    if low is not None and count < low:
        return say(f"{count} {unit}, fewer than {low}", f"{count}{unit}, {low}보다 짧음")
    if high is not None and count > high:
        return say(f"{count} {unit}, more than {high}", f"{count}{unit}, {high}보다 김")
    return None
