"""Exact match and character F1 as the official script of KorQuAD 1.0 defines them, from 0 to 100.

Quotation marks, brackets and signs of titles become blanks, punctuation of ASCII goes, letters become small, runs of blanks
become one. F1 is of characters without blanks, each as often as it stands on both sides. Where a row has several right
answers, the best counts.
"""

import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Row, Scored, Sums, Value, text_rows

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "0-100"
keys = {
    "korquad_em": (
        "share of answers equal to a reference by KorQuAD's rules",
        "KorQuAD 규칙으로 기준 답과 같은 답의 비율",
    ),
    "korquad_f1": ("F1 of characters by KorQuAD's rules", "KorQuAD 규칙의 글자 F1"),
}
MARKS = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))
PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation))


class Settings(MemberSettings):
    """Exact match and F1 of KorQuAD 1.0."""

    type: Literal["korquad"] = "korquad"


def normal(text: str) -> str:
    """A text as KorQuAD compares it."""
    return " ".join(unicodedata.normalize("NFC", text).translate(MARKS).lower().translate(PUNCTUATION).split())


def _f1(said: str, true: str) -> float:
    a, b = (Counter(text.replace(" ", "")) for text in (said, true))
    same = (a & b).total()
    return 2 * same / (a.total() + b.total()) if same else 0.0


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`korquad_em`, `korquad_f1`."""
    exact: list[Row | None] = []
    f1: list[Row | None] = []
    for one, pair in zip(samples, text_rows(samples), strict=True):
        if pair is None:
            exact.append(None)
            f1.append(None)
            continue
        said = normal(pair[0])
        true = [normal(text) for text in one.references or (pair[1],)]
        exact.append((100 * float(said in true), 1.0))
        f1.append((100 * max(_f1(said, text) for text in true), 1.0))
    made = "KorQuAD 1.0 official rules|norm:NFC|best of references|agg:mean"
    return {
        "korquad_em": Value(tuple(exact), f"korquad_em|{made}"),
        "korquad_f1": Value(tuple(f1), f"korquad_f1|units:characters|{made}"),
    }


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand."""

    def want(em: float, f1: float) -> dict[str, float | None]:
        return {"korquad_em": em, "korquad_f1": f1}

    return [
        Example("identical", "같음", [Scored("1989년 2월 15일", "1989년 2월 15일")], want(100, 100)),
        Example("marks and punctuation", "기호와 문장 부호", [Scored("《화랑도》.", "화랑도")], want(100, 100)),
        Example("NFD is NFC", "NFD와 NFC", [Scored(unicodedata.normalize("NFD", "화랑도"), "화랑도")], want(100, 100)),
        Example("a mark parts words", "기호는 낱말을 가름", [Scored("서울(수도)", "서울수도")], want(0, 100)),
        # 3 of 4 characters said, 3 of 3 true.
        Example("a particle more", "조사 하나 더", [Scored("임종석이", "임종석")], want(0, 600 / 7)),
        Example("wrong", "틀림", [Scored("고려", "백제")], want(0, 0)),
        Example("nothing said", "빈 답", [Scored("", "백제")], want(0, 0)),
        Example(
            "the best of two", "둘 중 나은 것", [Scored("백제", "고려", references=("고려", "백제"))], want(100, 100)
        ),
        Example("blank reference", "빈 기준 답", [Scored("백제", " ")], dict.fromkeys(keys)),
    ]
