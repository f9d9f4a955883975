"""Lengths, counted by hand."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.data.filters.length import Settings
from tests.data.filters.sieves import gone, plain, reason, sift, talk

ROWS = [talk("하나 둘", "셋"), talk("하나", "둘 셋 넷"), talk("가나다라", "마")]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"max_characters": 5, "of": "question"}, []),
        ({"max_characters": 3, "of": "question"}, [0, 2]),  # "하나 둘" has 4, blank and all
        ({"min_characters": 2, "of": "answer"}, [0, 2]),
        ({"min_characters": 6}, []),  # 6, 8 and 6, with the line end between them
        ({"min_characters": 7}, [0, 2]),
        ({"max_tokens": 1, "of": "question"}, [0]),
        ({"min_tokens": 3, "of": "answer"}, [0, 2]),
        ({"max_tokens": 3}, [1]),
        ({"min_tokens": 3, "max_tokens": 3}, [1, 2]),
        ({"min_tokens": 3, "max_characters": 6}, [1, 2]),
    ],
)
def test_what_is_outside_goes(settings: dict[str, Any], expected: list[int]) -> None:
    assert gone(sift({"type": "length", **settings}, ROWS)) == expected


def test_the_reason_says_what_was_counted() -> None:
    found = sift({"type": "length", "of": "answer", "min_tokens": 2, "max_characters": 4}, ROWS)
    assert reason(found[0]) == "the answer has 1 tokens, fewer than 2"
    assert reason(found[1]) == "the answer has 5 characters, more than 4"


def test_plain_text() -> None:
    assert gone(sift({"type": "length", "max_characters": 3}, [plain("가나다"), plain("가나다라")])) == [1]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "expected one of: min_tokens"),
        ({"of": "answer"}, "expected one of: min_tokens"),
        ({"min_tokens": 5, "max_tokens": 4}, "no length is from 5 to 4"),
        ({"max_characters": 0}, "greater than or equal to 1"),
    ],
)
def test_limits_that_mean_nothing_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate(settings)
