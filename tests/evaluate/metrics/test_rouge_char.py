"""ROUGE by characters: blanks do not count."""

import pytest

from dadeum.evaluate.metrics import Scored, rouge_char


def score(prediction: str, reference: str) -> dict[str, float]:
    values = rouge_char.score(rouge_char.Settings(), [Scored(prediction, reference)])
    return {name: value.rows[0][0] for name, value in values.items() if value.rows[0]}


def test_spacing_does_not_count() -> None:
    assert set(score("아버지가 방에 들어가신다", "아버지 가방에 들어가신다").values()) == {1.0}


def test_by_hand() -> None:
    # 가나다 against 가다나라: 3 of 3 and 4 units match; no pair does; the longest common subsequence has 2.
    found = score("가 나다", "가다나 라")
    assert found == pytest.approx(
        {"rouge1_char": 6 / 7, "rouge2_char": 0.0, "rougeL_char": 4 / 7, "rougeLsum_char": 4 / 7}, abs=1e-6
    )
