"""Cells as text."""

import datetime
from decimal import Decimal
from typing import Any

import pytest

from dadeum.data.cells import FaultyRow, by_name, first_text, list_of, text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", None),
        (" \t\n\u3000", None),
        (float("nan"), None),
        ("nan", "nan"),
        ("null", "null"),
        (" 앞뒤 ", " 앞뒤 "),
        (0, "0"),
        (2.5, "2.5"),
        (True, "true"),
        (Decimal("1.10"), "1.10"),
        (datetime.date(2026, 1, 31), "2026-01-31"),
    ],
)
def test_text_of(value: Any, text: str | None) -> None:
    assert text_of(value, "c") == text


@pytest.mark.parametrize("value", [[1], {"a": 1}, b"x", (1,)])
def test_what_is_no_text(value: Any) -> None:
    with pytest.raises(FaultyRow, match=f"column 'c' holds a {type(value).__name__}") as raised:
        text_of(value, "c")
    assert raised.value.kind == "no text"


def test_names_and_lists() -> None:
    assert by_name({" Q ": 1, "q": 2}) == {"q": 1}
    assert first_text({"a": " ", "b": "x"}, ("a", "b")) == "x" and first_text({}, ("a",)) is None
    assert list_of("[1, 2]", "c") == [1, 2] and list_of(None, "c") == [] and list_of((1,), "c") == [1]
    with pytest.raises(FaultyRow, match="column 'c' holds no list"):
        list_of("{}", "c")
