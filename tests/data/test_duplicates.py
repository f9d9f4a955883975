"""Rows that stand more than once, one by one; whole data sets are in `tests/faults/test_b21_duplicates.py`."""

import pytest

from dadeum.data.duplicates import exact, extra, loose, repeats, row_id
from dadeum.data.formats import Conversation


def row(*contents: str, roles: tuple[str, ...] = ("user", "assistant")) -> Conversation:
    return Conversation(tuple({"role": r, "content": c} for r, c in zip(roles, contents, strict=True)))


def test_to_the_letter_and_but_for_case_and_white_space() -> None:
    assert exact(row("a", "b")) == exact(row("a", "b")) != exact(row("A", "b"))
    assert loose(row(" a  x", "b")) == loose(row("A\nx", "B ")) != loose(row("ax", "b"))
    assert loose(row("a", "b.")) != loose(row("a", "b")), "punctuation counts"


def test_what_only_looks_the_same_is_not() -> None:
    """Other roles, the same text cut elsewhere, a text beside a message."""
    different = [
        row("a", "b"),
        row("a", "b", roles=("system", "assistant")),
        row("a b", ""),
        row("", "a b"),
        row("a", "b", "", roles=("user", "assistant", "assistant")),
        Conversation(text="a b"),
        Conversation(text="4 user a"),
    ]
    assert len({exact(r) for r in different}) == len({loose(r) for r in different}) == len(different)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"ID ": 7, "q": "a"}, "7"),
        ({"uuid": "x", "id": "y"}, "y"),
        ({"id": ""}, None),
        ({"id": None}, None),
        ({"id": [1]}, None),
        ({"identity": 1}, None),
    ],
)
def test_ids(values: dict[str, object], found: str | None) -> None:
    assert row_id(values) == found


def test_one_of_each_stays_and_an_official_test_row_before_others() -> None:
    assert repeats("abcab") == 2 and repeats([]) == 0
    keys = [b"a", b"b", b"a", b"a", b"b", b"c"]
    assert extra(keys, [None] * 6) == {2: 0, 3: 0, 4: 1}
    assert extra(keys, [None, "train", "validation", "test", None, None]) == {0: 3, 2: 3, 4: 1}
