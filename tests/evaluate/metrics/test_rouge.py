"""ROUGE by morphemes against ROUGE worked by hand, and what it must never do to Hangul."""

import unicodedata
from collections import Counter

import pytest

from dadeum.evaluate.metrics import Scored, rouge
from dadeum.evaluate.overlap import morphemes


def score(prediction: str, reference: str) -> dict[str, float]:
    values = rouge.score(rouge.Settings(), [Scored(prediction, reference)])
    return {name: value.rows[0][0] for name, value in values.items() if value.rows[0]}


def by_hand(prediction: str, reference: str) -> dict[str, float]:
    """Lin 2004: F1 of clipped n-gram matches, and of the longest common subsequence."""
    a, b = morphemes(prediction.lower()), morphemes(reference.lower())

    def f(hits: int, x: int, y: int) -> float:
        return 2 * hits / (x + y) if hits else 0.0

    found = {}
    for n in (1, 2):
        x, y = (Counter(zip(*(units[i:] for i in range(n)), strict=False)) for units in (a, b))
        found[f"rouge{n}"] = f((x & y).total(), x.total(), y.total())
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    return {**found, "rougeL": f(table[-1][-1], len(a), len(b))}


PAIRS = [
    (
        "계약을 해제하려면 먼저 이행을 최고해야 합니다.",
        "계약 해제를 하려면 상당한 기간을 정해 이행을 최고하여야 합니다.",
    ),
    ("오늘은 날씨가 참 좋네요", "날씨가 좋지 않아요 오늘은"),
    ("The Quick brown fox", "the quick fox 여우"),
]


@pytest.mark.parametrize(("prediction", "reference"), PAIRS)
def test_equals_rouge_by_hand(prediction: str, reference: str) -> None:
    found = score(prediction, reference)
    assert {name: found[name] for name in ("rouge1", "rouge2", "rougeL")} == pytest.approx(
        by_hand(prediction, reference), abs=1e-12
    )
    assert found["rougeLsum"] == found["rougeL"]  # one line is one sentence


@pytest.mark.parametrize(("prediction", "reference"), PAIRS)
def test_equals_torchmetrics(prediction: str, reference: str) -> None:
    from torchmetrics.functional.text.rouge import rouge_score

    from dadeum.evaluate.overlap import plain

    keys = ("rouge1", "rouge2", "rougeL")
    direct = rouge_score(prediction, reference, normalizer=plain, tokenizer=morphemes, rouge_keys=keys)
    found = score(prediction, reference)
    assert {key: found[key] for key in keys} == pytest.approx(
        {key: float(direct[f"{key}_fmeasure"]) for key in keys}, abs=1e-6
    )


def test_one_row_a_sample_and_none_where_nothing_was_said() -> None:
    value = rouge.score(
        rouge.Settings(), [Scored("가", "가"), Scored(None, "가"), Scored("가", None), Scored("", "가")]
    )["rouge1"]
    assert value.rows == ((1.0, 1.0), None, None, (0.0, 1.0))
    assert value.n == 2


def test_composed_and_decomposed_hangul_are_equal() -> None:
    text = "민법 제750조의 불법행위"
    assert set(score(unicodedata.normalize("NFD", text), text).values()) == {1.0}


def test_the_signature_names_the_tokenizer() -> None:
    import kiwipiepy

    signature = rouge.score(rouge.Settings(), [Scored("가", "나")])["rouge1"].signature
    assert f"kiwi-{kiwipiepy.__version__}" in signature
    assert "NFC" in signature
