"""Questions with answers of which one is right, as the well-known sets have them."""

from typing import Any

import pytest

from dadeum.data.cells import FaultyRow, by_name
from dadeum.data.formats import choice
from dadeum.data.kinds import Recogniser


@pytest.mark.parametrize(
    ("values", "text", "choices", "labels"),
    [
        # KMMLU, CommonsenseQA and ARC, RACE, HellaSwag, KoBEST's COPA and HellaSwag.
        (
            {"question": "?", "A": "a", "B": "b", "C": "c", "D": 4, "answer": 1},
            "?",
            ("a", "b", "c", "4"),
            {"answer": 1},
        ),
        (
            {"question": "?", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "2"},
            "?",
            ("x", "y"),
            {"answerkey": "B"},
        ),
        ({"article": "…", "question": "?", "options": ["x", "y"], "answer": "B"}, "?", ("x", "y"), {"answer": "B"}),
        ({"ctx": "그는", "endings": ["갔다", "왔다"], "label": "0"}, "그는", ("갔다", "왔다"), {"label": "0"}),
        (
            {
                "premise": "비가 왔다.",
                "question": "결과",
                "alternative": 0,
                "choice1": "젖었다",
                "choice2": "말랐다",
                "label": 0,
            },
            "비가 왔다.\n결과",
            ("젖었다", "말랐다"),
            {"label": 0},
        ),
        (
            {"context": "c", "ending_1": "x", "ending_2": "y", "ending_3": "z", "label": 2},
            "c",
            ("x", "y", "z"),
            {"label": 2},
        ),
    ],
)
def test_shapes(values: dict[str, Any], text: str, choices: tuple[str, ...], labels: dict[str, Any]) -> None:
    row = by_name(values)
    assert choice.matches(frozenset(row))
    found = choice.convert(row)
    assert (found.text, found.choices, dict(found.labels)) == (text, choices, labels)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"question": " ", "choices": ["a", "b"], "answer": 0}, "the question is blank"),
        ({"question": "?", "choices": ["a"], "answer": 0}, "expected two answers or more"),
        ({"question": "?", "a": "x", "b": "", "answer": 0}, "none of them blank"),
        ({"question": "?", "choices": ["a", "b"], "answer": None}, "no label: column 'answer' is blank"),
    ],
)
def test_what_is_missing_is_named(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        choice.convert(values)


def test_who_wants_talks_reads_the_same_columns_as_before() -> None:
    columns = ["question", "A", "B", "C", "D", "answer"]
    assert Recogniser()("f", columns)[1] == "question_answer"
    assert Recogniser(takes="choices")("f", columns)[1] == "choice"
