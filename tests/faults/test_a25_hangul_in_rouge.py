"""A25: ROUGE drops Hangul, so that identical text scores 0."""

import csv
import random
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from dadeum.evaluate.metrics import METRICS, Scored
from dadeum.generate.questions import read_questions

TEXTS = {
    "ko": "민법상 계약의 해제는 언제 할 수 있나요?",
    "ko short": "네",
    "ko punctuation": "!!",
    "ko jamo": "ㅋㅋㅋ",
    "th": "สวัสดีครับ ผมชื่อสมชาย",
    "zh": "我爱北京天安门",
    "ru": "Привет, как дела?",
    "emoji": "👍🎉",
}


def values(name: str, samples: list[Scored]) -> dict[str, float]:
    member = METRICS.member(name)
    found = member.score(member.Settings(), samples)
    return {key: float(member.combine(np.array(value.rows).sum(axis=0))) for key, value in found.items()}


@pytest.mark.parametrize("name", ["rouge", "rouge_char"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_with_itself_is_perfect(name: str, text: str) -> None:
    assert set(values(name, [Scored(text, text)]).values()) == {1.0}
    assert set(values(name, [Scored(unicodedata.normalize("NFD", text), text)]).values()) == {1.0}


@pytest.mark.parametrize(("name", "bound"), [("rouge", 0.35), ("rouge_char", 0.4)])
def test_unrelated_answers_stay_low(material: Path, name: str, bound: float) -> None:
    answers = [q.reference or "" for q in read_questions(material / "ko_qa" / "civil_law_qa_dataset.csv")]
    shuffled = answers.copy()
    random.Random(0).shuffle(shuffled)
    pairs = [Scored(a, b) for a, b in zip(answers, shuffled, strict=True) if a != b]
    assert max(values(name, pairs).values()) <= bound
    assert set(values(name, [Scored(a, a) for a in answers]).values()) == {1.0}


def test_unrelated_short_answers_stay_low(material: Path) -> None:
    with (material / "ko_qa" / "ChatbotData.csv").open(encoding="utf-8") as file:
        answers = [row["A"] for row in csv.DictReader(file)][:600]
    pairs = [Scored(a, b) for a, b in zip(answers[:300], answers[300:], strict=True) if a != b]
    assert max(values("rouge", pairs).values()) <= 0.35


@pytest.mark.parametrize("name", ["rouge", "rouge_char", "chrf", "exact_match"])
def test_nothing_said_scores_nothing(name: str) -> None:
    assert set(values(name, [Scored("", "네"), Scored("  ", "계약입니다")]).values()) == {0.0}


def test_signatures_name_their_units() -> None:
    for name, units in (("rouge", "kiwi-"), ("rouge_char", "characters")):
        member = METRICS.member(name)
        for value in member.score(member.Settings(), [Scored("가", "가")]).values():
            assert f"units:{units}" in value.signature
