"""chrF of the whole set, by sacrebleu with its own signature, from 0 to 100.

sacrebleu counts the character n-grams of each sample; the set's value is made of summed counts (Popović 2015, as in
sacrebleu's corpus score), so a resample is recomputed from the counts and is no mean of sentence scores.
"""

import unicodedata
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value, text_rows

PACKAGES = ("sacrebleu",)
needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "0-100"
keys = {
    "chrf": (
        "F-score of runs of 1 to 6 characters, over the whole set (sacrebleu)",
        "글자 1~6개 묶음의 F 점수, 전체 합산(sacrebleu)",
    ),
}
BETA = 2


class Settings(MemberSettings):
    """chrF."""

    type: Literal["chrf"] = "chrf"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`chrf`; a row holds (candidate, reference, matching) n-gram counts for each order 1 to 6."""
    from sacrebleu.metrics import CHRF

    metric = CHRF(beta=BETA)
    rows: list[tuple[float, ...] | None] = []
    for pair in text_rows(samples):
        if pair is None:
            rows.append(None)
            continue
        prediction, reference = (unicodedata.normalize("NFC", text) for text in pair)
        # The counts behind `corpus_score`; a test holds what `combine` makes of them against it.
        counts = metric._extract_corpus_statistics([prediction], [[reference]])[0]
        rows.append(tuple(float(count) for count in counts))
    metric.corpus_score([""], [[""]])  # the signature wants to know how many references there are
    return {"chrf": Value(tuple(rows), f"{metric.get_signature().format()}|norm:NFC|agg:corpus")}


def combine(sums: Sums) -> Sums:
    """F2 of the precisions and recalls, averaged over the orders that both sides have."""
    import numpy as np

    candidate, reference, matching = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
    both = (candidate > 0) & (reference > 0)
    orders = np.maximum(both.sum(axis=-1), 1)
    precision = np.where(both, matching / np.maximum(candidate, 1), 0.0).sum(axis=-1) / orders
    recall = np.where(both, matching / np.maximum(reference, 1), 0.0).sum(axis=-1) / orders
    below = BETA**2 * precision + recall
    value: Sums = 100 * (1 + BETA**2) * precision * recall / np.where(below > 0, below, 1.0)
    return value


def examples() -> Sequence[Example]:
    """Worked by hand."""
    text = "민법 제750조의 불법행위"
    return [
        Example("identical", "같음", [Scored(text, text)], {"chrf": 100}),
        Example("NFD is NFC", "NFD와 NFC", [Scored(unicodedata.normalize("NFD", text), text)], {"chrf": 100}),
        Example("unrelated", "무관함", [Scored("나비", "계약 해제")], {"chrf": 0}),
        # Characters: 1 of 2 on both sides; pairs: 0 of 1; longer ones are on neither side.
        Example("one of two characters", "두 글자 중 하나", [Scored("가나", "가다")], {"chrf": 25}),
        Example("nothing said", "빈 답", [Scored("", "네")], {"chrf": 0}),
        Example("blank reference", "빈 기준 답", [Scored("네", " ")], {"chrf": None}),
    ]
