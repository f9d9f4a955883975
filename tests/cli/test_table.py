"""dadeum.cli.table: one line a verb, in both languages."""

import pytest

from dadeum.cli.table import VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_both_languages(verb: str) -> None:
    english, korean, words = VERBS[verb]
    assert english.isascii()
    assert any("가" <= letter <= "힣" for letter in korean)
    assert not english.endswith(".")
    assert not korean.endswith(".")
    assert len(set(words)) == len(words)


def test_verbs_are_single_words() -> None:
    assert all(verb.isalpha() and verb.islower() for verb in VERBS)
