"""A26: scores of unlike tokenisations are compared as if they were one metric."""

import copy
from pathlib import Path

import numpy as np
import pytest
from sacrebleu.metrics import CHRF

from dadeum.core.errors import ArtifactError
from dadeum.evaluate.compare import compare
from dadeum.evaluate.metrics import METRICS, Scored
from tests.evaluate.support import evaluated, rows_in
from tests.generate.support import opened, save_small


def test_short_korean_is_perfect_with_itself() -> None:
    """torchmetrics' chrF gives '네' with itself 0.167."""
    member = METRICS.member("chrf")
    for text in ("네", "네.", "그래요"):
        row = member.score(member.Settings(), [Scored(text, text)])["chrf"].rows[0]
        assert float(member.combine(np.array(row))) == pytest.approx(100.0)


def test_every_metric_carries_a_signature(tmp_path: Path) -> None:
    found = evaluated(opened(save_small(tmp_path)), rows_in(tmp_path))
    assert all(metric["signature"] for metric in found.metrics.values())
    direct = CHRF()
    direct.corpus_score(["가"], [["가"]])
    assert found.metrics["chrf"]["signature"].startswith(direct.get_signature().format())


def test_unlike_signatures_are_not_compared(tmp_path: Path) -> None:
    one = evaluated(opened(save_small(tmp_path)), rows_in(tmp_path))
    other = copy.deepcopy(one)
    other.metrics["chrf"]["signature"] = other.metrics["chrf"]["signature"].replace("nc:6", "nc:4")
    with pytest.raises(ArtifactError, match="chrf: 'a' has signature"):
        compare([("a", one), ("b", other)], draws=100, seed=0)


def test_korean_bleu_is_never_cut_by_13a_unless_asked_for() -> None:
    """With 13a a particle makes another word of it: the number is another metric's."""
    member = METRICS.member("bleu")
    said, true = "계약은 법률에 따라 무효가 됩니다", "계약이 법률에 의해 무효로 됩니다"

    def measured(**settings: str) -> tuple[float, str]:
        value = member.score(member.Settings(**settings), [Scored(said, true)])["bleu"]
        return float(member.combine(np.array(value.rows[0]))), value.signature

    ours, english = measured(), measured(tokenize="13a")
    assert "tok:kiwi-" in ours[1] and "tok:13a" in english[1]
    assert ours[0] != pytest.approx(english[0], abs=1)


def test_a_metric_with_other_settings_is_another_metric(tmp_path: Path) -> None:
    engine, rows = opened(save_small(tmp_path)), rows_in(tmp_path)
    one = evaluated(engine, rows, metrics=["bleu"])
    other = evaluated(engine, rows, metrics=[{"type": "bleu", "tokenize": "char"}])
    with pytest.raises(ArtifactError, match=r"bleu: 'a' has signature .*tok:kiwi.*tok:char"):
        compare([("a", one), ("b", other)], draws=100, seed=0)


def test_korean_bleu_does_not_give_out_after_some_thousand_texts() -> None:
    """sacrebleu's ko-mecab fails after 15,807 calls (pymecab-ko#11); the morphemes here come from Kiwi."""
    from dadeum.evaluate.overlap import tagged

    tagged.cache_clear()
    assert all(tagged(f"계약 {number}") for number in range(16_000))
