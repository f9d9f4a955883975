"""Shares of letters, counted by hand."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.data.filters.language_share import Settings
from tests.data.filters.sieves import gone, plain, reason, sift, talk


@pytest.mark.parametrize(
    ("script", "text", "share"),
    [
        ("hangul", "안녕 hi", 2 / 4),
        ("hangul", "안녕하세요! 123 🙂", 1.0),
        ("hangul", "ㅋㅋ ok", 2 / 4),
        ("hangul", "民法 제1조", 2 / 4),
        ("latin", "naïve café", 1.0),
        ("latin", "ｆｕｌｌ 가", 4 / 5),
        ("han", "民法 제1조", 2 / 4),
        ("kana", "カナ と 漢字", 3 / 5),
        ("cyrillic", "привет hi", 6 / 8),
    ],
)
def test_the_share_is_that_of_the_letters(script: str, text: str, share: float) -> None:
    row = [plain(text)]
    base = {"type": "language_share", "script": script}
    assert gone(sift({**base, "min": share}, row)) == []
    assert gone(sift({**base, "max": share}, row)) == []
    if share < 1:
        assert gone(sift({**base, "min": share + 0.01}, row)) == [0]
    assert gone(sift({**base, "max": share - 0.01}, row)) == [0]


def test_rows_without_letters_stay() -> None:
    assert gone(sift({"type": "language_share", "min": 1.0}, [talk("1 + 1 = ?", "2")])) == []


def test_of_and_reason() -> None:
    found = sift({"type": "language_share", "min": 0.5, "of": "answer"}, [talk("번역해 줘", "hello 네")])
    assert reason(found[0]) == "16.7% of the letters are hangul, the limit is 50.0%"
    assert gone(sift({"type": "language_share", "min": 0.5, "of": "question"}, [talk("번역해 줘", "hello 네")])) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [({}, "expected min, max or both"), ({"min": 0.5, "max": 0.4}, "no share is from"), ({"min": 2.0}, "less than")],
)
def test_limits_that_mean_nothing_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate(settings)
