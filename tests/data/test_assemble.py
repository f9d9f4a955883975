"""Bytes are those of the NFC text, and a plan comes apart turn by turn."""

import unicodedata

from dadeum.data.assemble import Plan, text_bytes


def test_bytes_do_not_depend_on_the_form_of_the_hangul() -> None:
    text = "한글 ab"
    assert text_bytes(text) == 3 + 3 + 1 + 2
    assert text_bytes(unicodedata.normalize("NFD", text)) == text_bytes(text)


def test_each_turn_becomes_a_sample_of_its_own() -> None:
    turns = ["one", "two"]
    plan = Plan(7, turns, hidden=True, everything=True)  # type: ignore[arg-type]
    apart = plan.apart()
    assert [p.turns for p in apart] == [["one"], ["two"]]
    assert all(p.row == 7 and p.hidden and not p.everything for p in apart)


def test_each_turn_takes_its_weight_along() -> None:
    plan = Plan(7, ["one", "two"], hidden=False, weights=(0.5, 2.0))  # type: ignore[arg-type]
    assert [p.weighed for p in plan.apart()] == [[("one", 0.5)], [("two", 2.0)]]
    assert Plan(7, ["one"], hidden=False).weighed == [("one", 1.0)]  # type: ignore[arg-type]
