"""Articles that answers cite (민법 제750조), against those that references cite: F1, precision and recall, of summed counts.

The same is a citation of the same statute, number and branch (제3조의2); paragraphs and items (제1항) do not count, nor does
how often an article is named. Where one side leaves the statute out, the number decides. Rows whose reference cites nothing
have no value: nobody knows whether what the answer cites there is wrong.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Row, Scored, Sums, Value, text_rows

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "0-1"
keys = {
    "articles_f1": ("F1 of cited articles of statutes", "인용한 조문의 F1"),
    "articles_precision": ("share of cited articles that the reference cites", "인용한 조문 중 기준 답에 있는 비율"),
    "articles_recall": ("share of the reference's articles that are cited", "기준 답의 조문 중 인용한 비율"),
}


class Settings(MemberSettings):
    """Cited articles."""

    type: Literal["articles"] = "articles"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`articles_f1`, `articles_precision`, `articles_recall`."""
    from dadeum.evaluate.citations import agreed, citations

    rows: dict[str, list[Row | None]] = {key: [] for key in keys}
    for pair in text_rows(samples):
        true = citations(pair[1]) if pair is not None else set()
        if pair is None or not true:
            for of_key in rows.values():
                of_key.append(None)
            continue
        said = citations(pair[0])
        right = float(agreed(said, true))
        rows["articles_f1"].append((2 * right, float(len(said) + len(true))))
        rows["articles_precision"].append((right, float(len(said))))
        rows["articles_recall"].append((right, float(len(true))))
    made = "statute+article+branch|of:rows whose reference cites|agg:micro"
    return {key: Value(tuple(of_key), f"{key}|{made}") for key, of_key in rows.items()}


def combine(sums: Sums) -> Sums:
    """The quotient; 0 where nothing is cited."""
    import numpy as np

    found: Sums = sums[..., 0] / np.maximum(sums[..., 1], 1.0)
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import unicodedata

    def want(f1: float, precision: float, recall: float) -> dict[str, float | None]:
        return {"articles_f1": f1, "articles_precision": precision, "articles_recall": recall}

    true = "민법 제750조와 제751조에 따라 배상합니다."
    return [
        Example("both cited", "둘 다 인용", [Scored("「민법」 제750조 제1항, 제 751 조", true)], want(1, 1, 1)),
        Example("NFD is NFC", "NFD와 NFC", [Scored(unicodedata.normalize("NFD", true), true)], want(1, 1, 1)),
        Example("the statute left out", "법 이름 생략", [Scored("제750조, 제751조", true)], want(1, 1, 1)),
        Example("another statute", "다른 법", [Scored("형법 제750조", true)], want(0, 0, 0)),
        Example("another branch", "다른 가지 조문", [Scored("민법 제3조의2", "민법 제3조")], want(0, 0, 0)),
        Example(
            "one right, one wrong",
            "하나는 맞고 하나는 틀림",
            [Scored("민법 제750조, 제2조", true)],
            want(0.5, 0.5, 0.5),
        ),
        Example(
            "one of two", "둘 중 하나", [Scored("민법 제750조입니다. 다시, 민법 제750조!", true)], want(2 / 3, 1, 0.5)
        ),
        Example("nothing cited", "인용 없음", [Scored("배상합니다", true)], want(0, 0, 0)),
        Example(
            "the reference cites nothing",
            "기준 답에 조문 없음",
            [Scored("민법 제1조", "배상합니다")],
            dict.fromkeys(keys),
        ),
    ]
