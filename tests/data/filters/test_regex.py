"""Patterns: what matches, what is no pattern, and what would never end."""

import pytest
from pydantic import ValidationError

from dadeum.core.errors import DataError
from dadeum.data.filters.regex import Settings
from tests.data.filters.sieves import gone, plain, reason, sift, talk

ROWS = [talk("http://a.b", "네"), talk("질문", "HTTP://x"), talk("질문", "답")]


def test_rows_that_match_go_or_stay() -> None:
    assert gone(sift({"type": "regex", "pattern": "https?://"}, ROWS)) == [0]
    assert gone(sift({"type": "regex", "pattern": "(?i)https?://"}, ROWS)) == [0, 1]
    assert gone(sift({"type": "regex", "pattern": "https?://", "of": "answer"}, ROWS)) == []
    found = sift({"type": "regex", "pattern": "[가-힣]", "matching": "keep", "of": "question"}, ROWS)
    assert gone(found) == [0] and reason(found[0]) == "does not match '[가-힣]'"
    assert reason(sift({"type": "regex", "pattern": "답"}, ROWS)[2]) == "matches '답'"


def test_no_pattern_is_one_sentence() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate({"pattern": "(a"})
    (found,) = raised.value.errors()
    assert "found '(a', which is no regular expression (missing ) at position 2)" in found["msg"]
    assert "\n" not in found["msg"]


def test_a_pattern_that_would_never_end_stops_the_stage() -> None:
    """Some 10^16 ways to lay four commas among 2,000: without the limit this test would not come back."""
    row = plain("가," * 2000)
    with pytest.raises(DataError) as raised:
        sift({"type": "regex", "pattern": "(.*),(.*),(.*),(.*),(.*)x", "seconds": 0.2}, [row])
    message = str(raised.value)
    assert "takes more than 0.2 s on rows:0" in message and "\n" not in message
