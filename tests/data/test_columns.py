"""Columns: kinds, empty cells, examples, classes."""

from typing import Any

import pytest

from dadeum.data.columns import MOST, SHORT, Columns, ends, kind_of_cell, short


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "empty"),
        ("  \n", "empty"),
        (float("nan"), "empty"),
        ("NA", "text"),
        ("12", "number"),
        ("-1.5e3", "number"),
        ("1,000", "text"),
        ("9" * 60, "text"),
        (3, "number"),
        (0.5, "number"),
        (True, "bool"),
        ([], "list"),
        ({}, "object"),
        (b"x", "bytes"),
    ],
)
def test_kind_of_a_cell(value: Any, kind: str) -> None:
    assert kind_of_cell(value) == kind


def test_what_a_column_holds() -> None:
    columns = Columns()
    for number in range(20):
        columns.see(
            {"q": f"질문 {number}", "label": str(number % 2), "mixed": [1] if number % 2 else "글", "never": " "}
        )
    columns.see({"q": None, "label": "1"})
    q, label, mixed, never = columns.facts()
    assert (q["kind"], q["filled"], q["empty_share"], q["values"]) == ("text", 20, round(1 / 21, 6), [])
    assert q["examples"] == ["질문 0", "질문 1", "질문 2"]
    assert (
        label["kind"] == "number"
        and label["values"] == [{"value": "1", "count": 11}, {"value": "0", "count": 10}]
        and label["empty_share"] == 0
    )
    assert mixed["kind"] == "mixed" and mixed["kinds"] == {"text": 10, "list": 10} and mixed["values"] == []
    assert never["kind"] == "empty" and never["empty_share"] == 1 and never["examples"] == []


def test_digits_among_texts_are_texts() -> None:
    columns = Columns()
    for value in ("하나", "2", "셋"):
        columns.see({"a": value})
    assert columns.facts()[0]["kind"] == "text"


def test_few_rows_make_no_classes() -> None:
    columns = Columns()
    for value in "abcd":
        columns.see({"a": value})
    assert columns.facts()[0]["values"] == []


def test_columns_without_end_are_cut_off() -> None:
    columns = Columns()
    for number in range(MOST + 7):
        columns.see({f"id-{number}": "x"})
    assert len(columns.facts()) == MOST and columns.left_out == 7


def test_short_is_one_line_that_any_file_holds() -> None:
    assert short("가\n나\t다") == "가 나 다" and short("x" * 90) == "x" * 59 + "…"
    assert short("half \ud800").encode() == b"half ?"


def test_classes_that_differ_in_blanks_stay_apart() -> None:
    columns = Columns()
    for value in (*["2"] * 20, "2   "):
        columns.see({"label": value})
    assert columns.facts()[0]["values"] == [{"value": "2", "count": 20}, {"value": "2   ", "count": 1}]


def test_ends() -> None:
    assert ends("짧은\n질문") == "짧은 질문"
    found = ends("지문입니다. " * 100 + "\n\n누구입니까?")
    assert found.startswith("지문입니다.") and found.endswith("누구입니까?") and len(found) <= SHORT + 3
