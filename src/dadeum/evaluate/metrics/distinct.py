"""Distinct-1 and distinct-2 (Li et al. 2016): unlike morphemes, and unlike pairs of them, ÷ all of them, within each answer.

Within an answer, and not over all answers: a resample that draws an answer twice would seem to repeat itself.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Row, Scored, Sums, Value

PACKAGES = ("kiwipiepy", "kiwipiepy_model")
needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = False
unit = "0-1"
keys = {
    "distinct1": ("unlike morphemes ÷ all morphemes of an answer", "답 안에서 서로 다른 형태소 ÷ 모든 형태소"),
    "distinct2": ("unlike pairs of morphemes ÷ all pairs of an answer", "답 안에서 서로 다른 형태소 쌍 ÷ 모든 쌍"),
}


class Settings(MemberSettings):
    """Distinct-1 and distinct-2 by morphemes (kiwipiepy)."""

    type: Literal["distinct"] = "distinct"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`distinct1`, `distinct2`; a row holds unlike n-grams, and all."""
    from dadeum.evaluate.overlap import kiwi_version, runs

    made = f"units:{kiwi_version()}-no-punctuation|case:lower|norm:NFC|within:answer|agg:sum/sum"
    return {
        f"distinct{n}": Value(tuple(_row(runs(one.prediction, n)) for one in samples), f"distinct{n}|{made}")
        for n in (1, 2)
    }


def _row(grams: list[tuple[str, ...]]) -> Row | None:
    return (float(len(set(grams))), float(len(grams))) if grams else None


def combine(sums: Sums) -> Sums:
    """The quotient."""
    found: Sums = sums[..., 0] / sums[..., 1]
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""
    return [
        Example("nothing twice", "겹침 없음", [Scored("계약 해제 통지")], {"distinct1": 1, "distinct2": 1}),
        Example(
            "one word alone",
            "한 낱말만",
            [Scored("계약 계약 계약 계약 계약")],
            {"distinct1": 1 / 5, "distinct2": 1 / 4},
        ),
        Example(
            "two words in turn",
            "두 낱말 번갈아",
            [Scored("계약 해제 계약 해제")],
            {"distinct1": 1 / 2, "distinct2": 2 / 3},
        ),
        Example("nothing said", "빈 답", [Scored("")], {"distinct1": None, "distinct2": None}),
    ]
