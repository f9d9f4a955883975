"""Precision and recall of cited articles, of summed counts."""

import numpy as np

from dadeum.evaluate.metrics import Scored, articles


def values(samples: list[Scored]) -> dict[str, float]:
    found = articles.score(articles.Settings(), samples)
    return {key: float(articles.combine(np.array([r for r in v.rows if r]).sum(axis=0))) for key, v in found.items()}


def test_counts_are_summed_over_rows() -> None:
    samples = [
        Scored("민법 제750조, 제751조, 제1조", "민법 제750조"),  # 1 of 3 said, 1 of 1 true
        Scored("상법 제398조", "상법 제398조와 제399조"),  # 1 of 1 said, 1 of 2 true
        Scored("민법 제2조", "인용하지 않는 답"),  # nobody knows
        Scored("", "형법 제250조"),  # 0 of 0 said, 0 of 1 true
    ]
    assert values(samples) == {"articles_f1": 2 * 2 / (4 + 4), "articles_precision": 2 / 4, "articles_recall": 2 / 4}
    assert articles.score(articles.Settings(), samples)["articles_f1"].n == 3


def test_nothing_said_is_zero_and_no_division() -> None:
    assert values([Scored("", "형법 제250조")]) == dict.fromkeys(articles.keys, 0.0)


def test_rows_without_citations_have_no_value() -> None:
    found = articles.score(
        articles.Settings(), [Scored("민법 제1조", "없음"), Scored("민법 제1조", None), Scored(None, "민법 제1조")]
    )
    assert {row for value in found.values() for row in value.rows} == {None}
