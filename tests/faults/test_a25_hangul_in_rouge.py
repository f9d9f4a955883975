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


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_english_rouge_has_no_value_for_what_it_cannot_see(text: str) -> None:
    """rouge-score gives such text 0 with itself; a score that looks like one is worse than none."""
    member = METRICS.member("rouge_en")
    found = member.score(member.Settings(), [Scored(text, text), Scored("the cat", "the cat")])
    for value in found.values():
        assert value.rows == (None, (1.0, 1.0))
        assert "1 rows are not in Latin letters" in value.note


@pytest.mark.parametrize(
    ("said", "true"),
    [("민법상 계약의 해제", "나비와 사과와 바다"), ("สวัสดีครับ", "我爱北京天安门"), ("Привет, как дела?", "butterfly")],
)
def test_nothing_in_common_is_nothing(said: str, true: str) -> None:
    assert set(values("rouge_char", [Scored(said, true)]).values()) == {0.0}
    assert values("rouge", [Scored("계약 해제", "나비 사과")]) == dict.fromkeys(
        values("rouge", [Scored("가", "가")]), 0.0
    )


def test_spacing_is_reported_by_unit() -> None:
    """By characters spacing does not count; by morphemes it may, and both stand side by side."""
    spaced = [Scored("민법 제750조의불법행위", "민법 제750조의 불법행위")]
    assert set(values("rouge_char", spaced).values()) == {1.0}
    assert values("rouge", spaced)["rouge1"] >= 0.8


@pytest.mark.parametrize(("name", "bound"), [("rouge", 0.35), ("rouge_char", 0.4), ("rouge_content", 0.2)])
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


@pytest.mark.parametrize("name", ["rouge", "rouge_char", "rouge_content", "chrf", "exact_match", "bleu", "korquad"])
def test_nothing_said_scores_nothing(name: str) -> None:
    assert set(values(name, [Scored("", "계약"), Scored("  ", "계약입니다")]).values()) == {0.0}


def test_signatures_name_their_units() -> None:
    for name, units in (("rouge", "kiwi-"), ("rouge_char", "characters"), ("rouge_content", "kiwi-")):
        member = METRICS.member(name)
        for value in member.score(member.Settings(), [Scored("계약", "계약")]).values():
            assert f"units:{units}" in value.signature
