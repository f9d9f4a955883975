"""chrF from summed counts is sacrebleu's corpus score, for the whole set and for any resample."""

import random

import numpy as np
import pytest
from sacrebleu.metrics import CHRF

from dadeum.evaluate.metrics import Scored, chrf

PREDICTIONS = ["네", "오늘은 날씨가 좋네요", "", "the fox", "민법 제750조", "아니요"]
REFERENCES = ["네", "오늘 날씨가 참 좋습니다", "무언가", "The fox!", "민법 제 750 조", "계약은 무효입니다"]


def rows() -> np.ndarray:
    samples = [Scored(p, r) for p, r in zip(PREDICTIONS, REFERENCES, strict=True)]
    return np.array(chrf.score(chrf.Settings(), samples)["chrf"].rows)


def direct(places: list[int]) -> float:
    return CHRF().corpus_score([PREDICTIONS[i] for i in places], [[REFERENCES[i] for i in places]]).score


def test_the_whole_set() -> None:
    assert chrf.combine(rows().sum(axis=0)) == pytest.approx(direct(list(range(6))), rel=1e-12)


def test_any_resample_and_each_row() -> None:
    draw, table = random.Random(0), rows()
    for _ in range(50):
        places = [draw.randrange(6) for _ in range(draw.randrange(1, 9))]
        assert float(chrf.combine(table[places].sum(axis=0))) == pytest.approx(direct(places), rel=1e-12, abs=1e-12)
    assert chrf.combine(table) == pytest.approx([direct([i]) for i in range(6)], rel=1e-12)


def test_the_signature_is_sacrebleus_and_says_how_it_is_summed() -> None:
    metric = CHRF()
    metric.corpus_score(["가"], [["가"]])
    signature = chrf.score(chrf.Settings(), [Scored("가", "가")])["chrf"].signature
    assert signature.startswith(metric.get_signature().format())
    assert "agg:corpus" in signature
