"""What heads are to say of rows, as numbers."""

import math
from pathlib import Path
from typing import Any

import pytest

from dadeum.config.purpose import Target
from dadeum.core.errors import ArtifactError, DataError
from dadeum.data.cells import FaultyRow
from dadeum.data.labels import FILE, Head, Labels, choice, column_of, joined, name, numbers, said_words, several


def row(value: Any, **more: Any) -> dict[str, Any]:
    return {"labels": {"label": value}, "part": "train", **more}


THREE = Head("h", "class", "label", ("entailment", "neutral", "contradiction"), 3)
STARS = Head("h", "class", "label", ("1", "2", "5"), 3)
MANY = Head("h", "classes", "label", ("joy", "fear", "hope"), 3)
HOT = Head("h", "classes", "label", ("joy", "fear", "hope"), 3, "many")
SCORE = Head("h", "numbers", "label", None, 1)
TWO = Head("h", "numbers", "label", None, 2)


@pytest.mark.parametrize(
    ("head", "value", "expected"),
    [
        (THREE, "neutral", [1]),
        (THREE, " neutral ", [1]),
        (THREE, 2, [2]),
        (THREE, "0", [0]),
        (THREE, 1.0, [1]),
        (STARS, 5, [2]),
        (STARS, "5", [2]),
        (STARS, 2.0, [1]),
        (MANY, ["hope", "joy"], [1, 0, 1]),
        (MANY, "joy|fear", [1, 1, 0]),
        (MANY, '["fear"]', [0, 1, 0]),
        (MANY, [], [0, 0, 0]),
        (MANY, [0, 2], [1, 0, 1]),
        (HOT, [0, 1, 1], [0, 1, 1]),
        (HOT, [True, False, "1"], [1, 0, 1]),
        (SCORE, "4.5", [4.5]),
        (SCORE, 3, [3]),
        (TWO, [1, 2.5], [1, 2.5]),
        (TWO, "1, 2.5", [1, 2.5]),
    ],
)
def test_labels_as_numbers(head: Head, value: Any, expected: list[float]) -> None:
    assert numbers(head, row(value)) == expected


@pytest.mark.parametrize(
    ("head", "value", "reason"),
    [
        (
            THREE,
            "nuetral",
            r"holds 'nuetral', which head 'h' does not know, .*; did you mean 'neutral'\?; correct it, or",
        ),
        (THREE, 3, "holds '3', which head 'h' does not know, expected one of: entailment, neutral, contradiction"),
        (STARS, 0, "holds '0', which head 'h' does not know"),
        (MANY, ["joy", "rage"], "holds 'rage'"),
        (HOT, [0, 1], "holds 2 values, expected 3"),
        (
            SCORE,
            "good",
            "holds 'good', expected a number to predict; for names take a head such as sequence_classification",
        ),
        (SCORE, "inf", "expected a number"),
        (TWO, [1], "holds 1 values, expected 2"),
    ],
)
def test_what_a_head_cannot_learn_is_named(head: Head, value: Any, reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        numbers(head, row(value))


def test_heads_end_to_end_and_what_a_row_does_not_say() -> None:
    labels = Labels((Head("a", "class", "x", ("n", "y"), 2), Head("b", "numbers", "y", None, 2), MANY))
    found = labels.targets({"labels": {"x": "y", "y": None, "label": "fear"}})
    assert found[0] == 1 and all(map(math.isnan, found[1:3])) and found[3:] == (0, 1, 0)


def test_of_several_classes_none_may_hold_but_a_single_one_must() -> None:
    assert numbers(MANY, row([])) == [0.0, 0.0, 0.0]
    assert math.isnan(numbers(THREE, row([]))[0]) and math.isnan(numbers(SCORE, row([]))[0])


def test_the_file_comes_back_as_it_was(tmp_path: Path) -> None:
    labels = Labels((THREE, SCORE, Head("c", "choice", "answer", None, 1, "letter")), "[SEP]")
    labels.save(tmp_path)
    assert Labels.load(tmp_path) == labels
    (tmp_path / FILE).write_text('{"version": 9}')
    with pytest.raises(ArtifactError, match="no labels that this dadeum can read"):
        Labels.load(tmp_path)


def test_columns() -> None:
    target = Target("h", "class")
    assert column_of(target, {"label": 1}) == "label" and column_of(target, {}) is None
    assert column_of(Target("h", "class", "HATE"), {"bias": 1, "hate": 2}) == "hate"
    with pytest.raises(
        DataError, match=r"several columns of labels \(bias, hate\), and head 'h' names none; set head.column"
    ):
        column_of(target, {"bias": 1, "hate": 2})


def test_names() -> None:
    assert [name(v) for v in (True, 1, 1.0, 0.5, " 가 ", "\u1100\u1161")] == ["true", "1", "1", "0.5", "가", "가"]
    assert several("a, b") == ["a", "b"] and several("a") == ["a"] and several("[1, 2]") == [1, 2] and several(3) == [3]


@pytest.mark.parametrize(
    ("reads", "value", "place"), [("letter", "c", 2), ("text", "둘", 1), ("0", "0", 0), ("1", 4, 3), ("1", "1", 0)]
)
def test_right_answers(reads: str, value: Any, place: int) -> None:
    choices = ("하나", "둘", "셋", "넷")
    head = Head("h", "choice", "answer", None, 1, reads)
    assert choice(head, value, choices) == place
    for wrong in ("E", "다섯", "9", None):
        with pytest.raises(FaultyRow, match="of 4 answers"):
            choice(head, wrong, choices)


def test_words() -> None:
    assert (
        joined(["나", "는"]) == "나 는"
        and joined(["나", "는"], "나는") == "나는"
        and joined(["나", " ", "너"]) == "나 너"
    )
    head = Head("h", "words", "label", ("O", "B"), 2)
    with pytest.raises(FaultyRow, match=r"3 words and 2 labels \(column 'label'\), expected a label for each word"):
        said_words(head, row(["O", "B"], words=["a", "b", "c"]))
