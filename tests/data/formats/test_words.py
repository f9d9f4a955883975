"""Words with a label each."""

from typing import Any

import pytest

from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation, words


@pytest.mark.parametrize(
    ("values", "text", "labels"),
    [
        ({"tokens": ["EU", "rejects"], "ner_tags": [3, 0]}, "EU rejects", {"ner_tags": [3, 0]}),
        (
            {"words": ["나", "는"], "tags": ["B-PS", "O"], "labels": [1, 0]},
            "나 는",
            {"tags": ["B-PS", "O"], "labels": [1, 0]},
        ),
        ({"tokens": '["가", "나"]', "pos_tags": '["N", "V"]'}, "가 나", {"pos_tags": ["N", "V"]}),
        ({"tokens": list("나 는"), "ner_tags": ["B", "O", "O"]}, "나 는", {"ner_tags": ["B", "O", "O"]}),
        (
            {"sentence": "서울", "tokens": ["서", "울"], "ner_tags": ["B-LC", "I-LC"]},
            "서울",
            {"ner_tags": ["B-LC", "I-LC"]},
        ),
    ],
)
def test_shapes(values: dict[str, Any], text: str, labels: dict[str, Any]) -> None:
    assert words.matches(frozenset(values))
    found = words.convert(values)
    assert isinstance(found, Conversation)
    assert found.text == text and dict(found.labels) == labels and not found.messages
    given = values.get("tokens", values.get("words"))
    assert list(found.words) == (given if isinstance(given, list) else ["가", "나"])


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"tokens": ["a", "b"], "ner_tags": ["O"]}, r"2 words and 1 labels \(column 'ner_tags'\)"),
        ({"tokens": [], "ner_tags": ["O"]}, "column 'tokens' is blank"),
        ({"tokens": ["a"], "ner_tags": None}, "no label: column 'ner_tags' is blank"),
        ({"tokens": ["a", ""], "ner_tags": ["O", "O"]}, "column 'tokens' holds an empty word"),
        ({"tokens": "a b", "ner_tags": ["O", "O"]}, "column 'tokens' holds no list"),
        ({"tokens": ["a", {}], "ner_tags": ["O", "O"]}, "holds a dict, expected text"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        words.convert(values)


def test_letters_of_a_sentence_that_holds_its_entities() -> None:
    row = {"sentence": "<서울:LC>에서", "tokens": list("서울에서"), "ner_tags": ["B-LC", "I-LC", "O", "O"]}
    assert words.convert(row).text == "서울에서"


def test_words_alone_are_no_such_rows() -> None:
    assert not words.matches(frozenset({"tokens"})) and not words.matches(frozenset({"ner_tags", "text"}))
