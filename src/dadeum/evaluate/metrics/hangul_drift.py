"""Answers that drift out of Hangul: `hangul_drift`, the share of such answers, and `foreign_letters`, that of their letters.

Rows count whose question is mostly Hangul, and whose reference is where there is one (a translation is no drift). Foreign are
letters of any other script (Latin, Chinese, kana, Cyrillic …), unless the same run of letters stands in the question or in a
reference: who is asked about an API may say API. An answer drifted where more than `share` of its letters are foreign.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings, setting
from dadeum.evaluate.metrics import Example, Row, Scored, Sums, Value

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = False
floored = False
unit = "0-1"
keys = {
    "hangul_drift": (
        "share of answers to Korean questions that drift out of Hangul",
        "한국어 질문에 다른 문자로 새어 나간 답의 비율",
    ),
    "foreign_letters": (
        "share of letters that are not Hangul and not given in the question",
        "질문에 없던, 한글 아닌 글자의 비율",
    ),
}
HANGUL = r"\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7a3\ud7b0-\ud7ff"
FOREIGN = re.compile(rf"[^\W\d_{HANGUL}]+")
OWN = re.compile(f"[{HANGUL}]")


class Settings(MemberSettings):
    """Drift out of Hangul."""

    type: Literal["hangul_drift"] = "hangul_drift"
    share: float = setting(
        0.1,
        "Share of foreign letters above which an answer has drifted.",
        "한글 아닌 글자가 이 비율을 넘으면 새어 나간 답.",
        ge=0,
        lt=1,
    )


def _parts(text: str) -> tuple[int, list[str]]:
    """How many letters are Hangul, and the runs of others."""
    plain = unicodedata.normalize("NFC", text)
    return len(OWN.findall(plain)), FOREIGN.findall(plain)


def _korean(text: str) -> bool:
    own, runs = _parts(text)
    return own > sum(map(len, runs))


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`hangul_drift`, `foreign_letters`."""
    drifted: list[Row | None] = []
    letters: list[Row | None] = []
    for one in samples:
        references = [text for text in (one.reference, *one.references) if text and text.strip()]
        if one.prediction is None or not one.question or not all(map(_korean, [one.question, *references])):
            drifted.append(None)
            letters.append(None)
            continue
        given = {run.casefold() for text in (one.question, *references) for run in _parts(text)[1]}
        own, runs = _parts(one.prediction)
        foreign = sum(len(run) for run in runs if run.casefold() not in given)
        whole = own + sum(map(len, runs))
        drifted.append((float(foreign > settings.share * whole), 1.0))
        letters.append((float(foreign), float(whole)) if whole else None)
    made = "of:questions in Hangul|given:question+reference|norm:NFC"
    return {
        "hangul_drift": Value(tuple(drifted), f"hangul_drift|above:{settings.share:g}|{made}|agg:mean"),
        "foreign_letters": Value(tuple(letters), f"foreign_letters|{made}|agg:sum/sum"),
    }


def combine(sums: Sums) -> Sums:
    """The quotient."""
    found: Sums = sums[..., 0] / sums[..., 1]
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""

    def row(said: str, asked: str = "API 오류는 왜 나나요?", true: str | None = None) -> list[Scored]:
        return [Scored(said, true, question=asked)]

    def want(drift: float, foreign: float) -> dict[str, float | None]:
        return {"hangul_drift": drift, "foreign_letters": foreign}

    return [
        Example("all Hangul", "모두 한글", row("서버가 멈췄기 때문입니다."), want(0, 0)),
        Example("in English", "영어로 답함", row("because"), want(1, 1)),
        # 4 of 10 letters.
        Example("into Chinese", "한자로 샘", row("서버가 멈췄음 服務停止"), want(1, 0.4)),
        Example("a word of the question", "질문에 있는 낱말", row("API가 멈춤"), want(0, 0)),
        Example(
            "a word of the reference",
            "기준 답에 있는 낱말",
            row("DNS가 멈춤", true="DNS 서버가 멈췄습니다"),
            want(0, 0),
        ),
        # 1 of 20 letters: below a tenth.
        Example("one letter", "한 글자", row("가나다라마바사아자차카타파하거너더러머 x"), want(0, 0.05)),
        Example("NFD is NFC", "NFD와 NFC", row(unicodedata.normalize("NFD", "서버가 멈춤")), want(0, 0)),
        Example("an English question", "영어 질문", row("because", "Why?"), dict.fromkeys(keys)),
        Example(
            "a translation is asked for",
            "번역을 청함",
            row("butterfly", "나비는 영어로?", "butterfly"),
            dict.fromkeys(keys),
        ),
    ]
