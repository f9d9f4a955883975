"""Characters of all answers ÷ characters of all references. 1 is as long as these; neither more nor less is better."""

import unicodedata
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value, text_rows

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = None
floored = False
unit = "ratio"
keys = {
    "length_ratio": (
        "characters of answers ÷ characters of references; 1 is alike",
        "답의 글자 수 ÷ 기준 답의 글자 수. 1이면 같음",
    )
}


class Settings(MemberSettings):
    """Length ratio."""

    type: Literal["length_ratio"] = "length_ratio"


def _length(text: str) -> float:
    return float(len(unicodedata.normalize("NFC", text).strip()))


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`length_ratio`."""
    rows = tuple(None if pair is None else (_length(pair[0]), _length(pair[1])) for pair in text_rows(samples))
    return {"length_ratio": Value(rows, "length_ratio|units:characters|norm:NFC|agg:sum/sum")}


def combine(sums: Sums) -> Sums:
    """The quotient."""
    found: Sums = sums[..., 0] / sums[..., 1]
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""
    return [
        Example("as long", "같은 길이", [Scored("나비", "계약")], {"length_ratio": 1}),
        Example("NFD is NFC", "NFD와 NFC", [Scored(unicodedata.normalize("NFD", "한글"), "한글")], {"length_ratio": 1}),
        Example("half as long", "절반 길이", [Scored("가나", "가나다라")], {"length_ratio": 0.5}),
        # Not the mean of 1/4 and 4.
        Example(
            "sums, not means of rows",
            "행 평균이 아니라 합",
            [Scored("가", "가나다라"), Scored("가나다라", "가")],
            {"length_ratio": 1},
        ),
        Example("nothing said", "빈 답", [Scored("", "네")], {"length_ratio": 0}),
        Example("blank reference", "빈 기준 답", [Scored("네", " ")], {"length_ratio": None}),
    ]
