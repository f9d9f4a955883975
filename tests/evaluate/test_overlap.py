"""The units of ROUGE."""

import unicodedata

from dadeum.evaluate.metrics import Scored
from dadeum.evaluate.overlap import _kiwi, characters, morphemes, plain, rouge


def test_plain_is_composed_lower_and_trimmed() -> None:
    assert plain(unicodedata.normalize("NFD", " 가A ")) == "가a"


def test_morphemes_part_endings_and_leave_punctuation_out() -> None:
    assert morphemes("저는 민법을 공부합니다.")[:4] == ("저", "는", "민법", "을")
    assert "." not in morphemes("네.")
    assert morphemes("?!") != ()  # there is nothing else
    assert morphemes("") == ()


def test_characters_leave_blanks_out() -> None:
    assert characters(" 가 나\n다 ") == ("가", "나", "다")


def test_kiwi_is_loaded_once() -> None:
    assert _kiwi() is _kiwi()


def test_any_units_will_do() -> None:
    words = rouge([Scored("a b", "a c"), Scored(None, "x")], lambda text: tuple(text.split()), "_word", "blanks")
    assert set(words) == {"rouge1_word", "rouge2_word", "rougeL_word"}
    assert words["rouge1_word"].rows == ((0.5, 1.0), None)
    assert "units:blanks" in words["rouge1_word"].signature
