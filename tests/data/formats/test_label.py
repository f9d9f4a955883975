"""Texts and pairs of sentences with labels."""

from typing import Any

import pytest

from dadeum.data.cells import FaultyRow
from dadeum.data.formats import FORMATS, Conversation
from dadeum.data.kinds import Recogniser


def convert(values: dict[str, Any]) -> Conversation:
    how, kind = Recogniser()("f", list(values))
    assert kind == "label"
    return how(values)


@pytest.mark.parametrize(
    ("values", "texts", "labels"),
    [
        ({"id": "1", "document": "재미없다", "label": "0"}, ("재미없다", None), {"label": "0"}),
        ({"text": "x", "label": 3}, ("x", None), {"label": 3}),
        ({"sentence": "x", "label": True}, ("x", None), {"label": True}),
        ({"text": "x", "labels": ["joy", "fear"]}, ("x", None), {"labels": ["joy", "fear"]}),
        ({"text": "x", "labels": []}, ("x", None), {"labels": []}),
        ({"text": "x", "score": 0.5, "url": "u"}, ("x", None), {"score": 0.5}),
        (
            {"comments": "c", "contain_gender_bias": "False", "bias": "none", "hate": "hate"},
            ("c", None),
            {"contain_gender_bias": "False", "bias": "none", "hate": "hate"},
        ),
        (
            {"premise": "p", "hypothesis": "h", "gold_label": "entailment", "label2": "neutral"},
            ("p", "h"),
            {"gold_label": "entailment"},
        ),
        ({"question1": "a", "question2": "b", "is_duplicate": "1"}, ("a", "b"), {"is_duplicate": "1"}),
        (
            {"sentence1": "a", "sentence2": "b", "labels": {"label": 4.9, "real-label": 4.857, "binary-label": 1}},
            ("a", "b"),
            {"label": 4.9, "real-label": 4.857, "binary-label": 1},
        ),
        ({"premise": "p", "hypothesis": "h", "sentence": "s", "label": 0}, ("p", "h"), {"label": 0}),
    ],
)
def test_shapes(values: dict[str, Any], texts: tuple[str, str | None], labels: dict[str, Any]) -> None:
    found = convert(values)
    assert (found.text, found.second) == texts and dict(found.labels) == labels and not found.messages


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"document": " ", "label": "0"}, "column 'document' is blank"),
        ({"premise": "p", "hypothesis": None, "label": 0}, "column 'hypothesis' is blank"),
        ({"text": "x", "label": None}, "no label: column 'label' is blank"),
        ({"text": "x", "labels": [None, " "]}, "no label: column 'labels' is blank"),
    ],
)
def test_what_is_missing_is_named(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        convert(values)


def test_two_texts_are_no_pair_and_a_question_with_its_answer_is_no_labelled_text() -> None:
    member = FORMATS.member("label")
    assert not member.matches(frozenset({"review", "comment", "label"}))
    assert Recogniser()("f", ["Q", "A", "label"])[1] == "question_answer"
    assert Recogniser()("f", ["text"])[1] == "text"
