"""ROUGE-1/2/L/Lsum by Korean morphemes: `rouge1`, `rouge2`, `rougeL`, `rougeLsum`, from 0 to 1.

Two unrelated Korean answers share particles and endings and reach 0.14 to 0.29 in ROUGE-1: read it beside the floor.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value

PACKAGES = ("kiwipiepy", "kiwipiepy_model")
needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "0-1"
keys = {
    "rouge1": ("F1 of morphemes", "형태소의 F1"),
    "rouge2": ("F1 of pairs of morphemes", "이어진 형태소 쌍의 F1"),
    "rougeL": ("F1 of the longest common sequence of morphemes", "공통으로 이어지는 가장 긴 형태소 열의 F1"),
    "rougeLsum": (
        "the same line by line: the order of lines does not count",
        "줄마다 잰 rougeL: 줄의 순서는 보지 않음",
    ),
}


class Settings(MemberSettings):
    """ROUGE by morphemes (kiwipiepy)."""

    type: Literal["rouge"] = "rouge"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`rouge1`, `rouge2`, `rougeL`, `rougeLsum`."""
    from dadeum.evaluate.overlap import kiwi_version, morphemes, rouge

    return rouge(samples, morphemes, "", f"{kiwi_version()}-no-punctuation")


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import unicodedata

    from dadeum.evaluate.overlap import KEYS

    text = "민법 제750조의 불법행위"
    same, none = dict.fromkeys(KEYS, 1.0), dict.fromkeys(KEYS, 0.0)
    return [
        Example("identical", "같음", [Scored(text, text)], same),
        Example("NFD is NFC", "NFD와 NFC", [Scored(unicodedata.normalize("NFD", text), text)], same),
        Example("no word in common", "겹치는 말 없음", [Scored("나비 사과", "계약 해제")], none),
        Example(
            "one noun too many",
            "명사 하나 더",
            [Scored("계약 해제 통지", "계약 해제")],
            {"rouge1": 4 / 5, "rouge2": 2 / 3, "rougeL": 4 / 5, "rougeLsum": 4 / 5},
        ),
        Example(
            "lines in another order",
            "줄 순서가 다름",
            [Scored("사과 나무\n계약 해제", "계약 해제\n사과 나무")],
            {"rouge1": 1, "rougeL": 1 / 2, "rougeLsum": 1},
        ),
        Example("nothing said", "빈 답", [Scored("", text)], none),
        Example("blank reference", "빈 기준 답", [Scored(text, " ")], dict.fromkeys(KEYS)),
    ]
