"""The English ROUGE is rouge-score's, and of Hangul it has no value."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from dadeum.evaluate.metrics import Scored, rouge_en

KEYS = ("rouge1", "rouge2", "rougeL", "rougeLsum")


def pairs(material: Path, count: int = 200) -> list[tuple[str, str]]:
    """Instructions with two answers each, some of several lines; every second answer belongs to another question."""
    rows = json.loads(
        (material / "en_instruct" / "rasbt_instruction-data-with-preference.json").read_text(encoding="utf-8")
    )
    with (material / "en_math" / "gsm8k_test.jsonl").open(encoding="utf-8") as file:
        sums = [json.loads(line)["answer"] for line in file][: count // 2 + 1]
    told = [(row["chosen"], row["rejected"]) for row in rows[: count // 2]]
    return [*told, *itertools.pairwise(sums)]


def test_equals_rouge_score(material: Path) -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(list(KEYS), use_stemmer=False)
    texts = pairs(material)
    assert len(texts) == 200 and sum("\n" in a and "\n" in b for a, b in texts) > 50
    found = rouge_en.score(rouge_en.Settings(), [Scored(a, b) for a, b in texts])
    for place, (said, true) in enumerate(texts):
        direct = scorer.score(true, said)
        for key in KEYS:
            assert found[f"{key}_en"].rows[place] == pytest.approx((direct[key].fmeasure, 1.0), abs=1e-12)
    means = {key: float(rouge_en.combine(np.array(value.rows).sum(axis=0))) for key, value in found.items()}
    assert 0.1 < means["rouge2_en"] < means["rougeL_en"] < means["rougeLsum_en"] < means["rouge1_en"] < 1


def test_what_is_not_latin_has_no_value_and_is_told() -> None:
    samples = [
        Scored("the cat", "the cat"),
        Scored("계약", "계약"),
        Scored("계약 the", "API 계약을 해제"),
        Scored("123", "123"),
    ]
    value = rouge_en.score(rouge_en.Settings(), samples)["rouge1_en"]
    assert value.rows == ((1.0, 1.0), None, None, (1.0, 1.0))
    assert "references of 2 rows are not in Latin letters" in value.note and "rouge_char" in value.note
    assert rouge_en.score(rouge_en.Settings(), samples[:1])["rouge1_en"].note == ""


def test_the_signature_says_no_stemming() -> None:
    assert "stem:no" in rouge_en.score(rouge_en.Settings(), [Scored("a", "a")])["rouge1_en"].signature
