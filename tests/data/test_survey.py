"""What all rows tell of the heads."""

from typing import Any

import pytest

from dadeum.config.purpose import Purpose, Takes, Target, TargetKind
from dadeum.core.errors import DataError
from dadeum.data.labels import Head
from dadeum.data.survey import survey


def one(
    values: list[Any], kind: TargetKind = "class", *, takes: Takes = "labels", names: tuple[str, ...] = (), **more: Any
) -> Head:
    target = Target("h", kind, None, names)
    rows = [{"labels": {"label": value}, "part": "train", **more} for value in values]
    return survey(Purpose("head", takes, (target,)), rows).heads[0]


def test_names_come_from_training_rows_in_an_order_of_their_own() -> None:
    assert one(["10", "9", "2", "9"]).names == ("2", "9", "10")
    assert one(["나", "가", "b", "1"]).names == ("1", "b", "가", "나")
    assert one([True, False]).names == ("false", "true")
    assert one(["x", "y"], names=("y", "x", "z")).names == ("y", "x", "z")
    rows = [
        {"labels": {"label": label}, "part": part} for label, part in (("a", "train"), ("b", "train"), ("c", "test"))
    ]
    assert survey(Purpose("head", "labels", (Target("h", "class"),)), rows).heads[0].names == ("a", "b")


def test_several_classes_numbers_and_words() -> None:
    assert one([["b"], ["a", "c"], []], "classes").names == ("a", "b", "c")
    assert one([[0, 0, 1], [1, 1, 0]], "classes") == Head("h", "classes", "label", ("0", "1", "2"), 3, "many")
    assert one([[0, 1], [1, 0]], "classes", names=("p", "q")).reads == "many"
    assert one([[0, 2], [1]], "classes").names == ("0", "1", "2")
    assert one([0.5, "3"], "numbers") == Head("h", "numbers", "label", None, 1)
    assert one([[0.5, 1], [2, 3]], "numbers").size == 2
    found = one([["B", "O"], ["O", None, -100]], takes="words", words=["x", "y"])
    assert found == Head("h", "words", "label", ("B", "O"), 2)


@pytest.mark.parametrize(
    ("values", "reads"),
    [
        (["A", "d"], "letter"),
        ([0, 2], "0"),
        ([1, 4], "1"),
        (["4", "2"], "1"),
        (["둘", "넷"], "text"),
        (["A", "둘"], "text"),
    ],
)
def test_how_right_answers_are_written(values: list[Any], reads: str) -> None:
    assert one(values, takes="choices", choices=["하나", "둘", "셋", "넷"]).reads == reads


@pytest.mark.parametrize(
    ("values", "reason"), [([1, 2], "neither 0 nor the number of answers occurs"), ([0, 4], "both 0 and the number")]
)
def test_answers_that_count_from_nobody_knows_where(values: list[Any], reason: str) -> None:
    with pytest.raises(DataError, match=f"column 'label': the answers are numbers, and {reason}"):
        one(values, takes="choices", choices=["하나", "둘", "셋", "넷"])


def test_a_column_that_is_not_there() -> None:
    purpose = Purpose("head", "labels", (Target("multi.a", "class", "hate"), Target("multi.b", "class", "bais")))
    rows = [{"labels": {"hate": "x", "bias": "y"}, "part": "train"}]
    with pytest.raises(
        DataError,
        match=r"head 'multi.b': the rows have no column of labels 'bais', found: hate, bias; did you mean 'bias'\?",
    ):
        survey(purpose, rows)


def test_rows_in_which_nothing_looks_like_a_label() -> None:
    purpose = Purpose("head", "labels", (Target("a", "class"),))
    with pytest.raises(DataError, match=r"no column of labels, found: none .*; write in head.column which it is"):
        survey(purpose, [{"labels": {}, "part": "train"}])


def test_a_column_that_is_blank_throughout() -> None:
    purpose = Purpose("head", "labels", (Target("a", "class", "hate"), Target("b", "class", "bias")))
    rows = [{"labels": {"hate": "x", "bias": None}, "part": "train"}]
    with pytest.raises(DataError, match="head 'b': column 'bias' is blank in every row; fill it, or take the head out"):
        survey(purpose, rows)


def test_what_never_changes_is_noted() -> None:
    def constant(values: list[Any], kind: TargetKind = "class", takes: Takes = "labels") -> tuple[tuple[str, str], ...]:
        rows = [{"labels": {"label": value}, "part": "train"} for value in values]
        return survey(Purpose("head", takes, (Target("h", kind),)), rows).constant

    assert constant(["a", "a"]) == (("h", "a"),) and constant(["a", "b"]) == ()
    assert constant([2, "2.0"], "numbers") == (("h", "2"),) and constant([2, 2.5], "numbers") == ()
    assert constant([["a", "b"], ["b", "a"]], "classes") == (("h", "a, b"),) and constant([["a"], []], "classes") == ()
    assert constant([["O", "O"]], takes="words") == (("h", "O"),) and constant([["O", "B"]], takes="words") == ()


def test_the_separator_is_for_pairs() -> None:
    purpose = Purpose("head", "labels", (Target("h", "class"),))
    alone = {"labels": {"label": "a"}, "part": "train"}
    assert survey(purpose, [alone], "</s>").separator is None
    assert survey(purpose, [alone, {**alone, "second": "x"}], "</s>").separator == "</s>"
