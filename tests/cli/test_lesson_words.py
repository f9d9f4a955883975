"""dadeum.cli.lesson_words: both languages, and commands that there are."""

import shlex

import pytest

from dadeum.cli.lesson_words import ORDER, WORDS, Named, spoken, tries
from dadeum.cli.table import VERBS

NAMED = Named("checkpoints/tiny-ko", "data/raw/rows.csv", "lesson", "상속은 언제 시작됩니까?")


@pytest.mark.parametrize("name", ORDER)
def test_in_both_languages(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    title, english = spoken(name)
    assert title.isascii() and english and all(sentence.isascii() for sentence in english)
    shown = tries(name, NAMED)
    assert len(shown) == 3
    monkeypatch.setenv("DADEUM_LANG", "ko")
    title, korean = spoken(name)
    assert len(korean) == len(english) and all(any("가" <= c <= "힣" for c in text) for text in (title, *korean))
    assert [command for command, _ in tries(name, NAMED)] == [command for command, _ in shown]
    assert all(any("가" <= c <= "힣" for c in what) for _, what in tries(name, NAMED))


def test_the_verb_offers_the_same_lessons() -> None:
    assert VERBS["lesson"][2] == ORDER == tuple(WORDS)


@pytest.mark.parametrize("name", ORDER)
def test_commands_to_try_are_of_verbs_that_there_are(name: str) -> None:
    for command, _ in tries(name, NAMED):
        program, verb, *_ = shlex.split(command)
        assert program == "dadeum" and verb in VERBS
