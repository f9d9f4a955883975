"""Share of answers equal to the reference, after NFC and with runs of blanks as one."""

import unicodedata
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value, text_rows

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "0-1"
keys = {
    "exact_match": ("share of answers equal to the reference", "기준 답과 같은 답의 비율"),
}


class Settings(MemberSettings):
    """Exact match."""

    type: Literal["exact_match"] = "exact_match"


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`exact_match`."""
    pairs = text_rows(samples)
    rows = tuple(None if p is None else (float(_normal(p[0]) == _normal(p[1]) != ""), 1.0) for p in pairs)
    return {"exact_match": Value(rows, "exact_match|case:mixed|norm:NFC+blanks|agg:mean")}


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand."""
    text = "민법 제750조"
    return [
        Example("identical", "같음", [Scored(text, text)], {"exact_match": 1}),
        Example("NFD is NFC", "NFD와 NFC", [Scored(unicodedata.normalize("NFD", text), text)], {"exact_match": 1}),
        Example("blanks and lines", "빈칸과 줄", [Scored(" 민법\n제750조 ", text)], {"exact_match": 1}),
        Example("one particle more", "조사 하나 더", [Scored("민법 제750조는", text)], {"exact_match": 0}),
        Example("one of two", "둘 중 하나", [Scored("네", "네"), Scored("", "네")], {"exact_match": 0.5}),
        Example("blank reference", "빈 기준 답", [Scored("", " ")], {"exact_match": None}),
    ]
