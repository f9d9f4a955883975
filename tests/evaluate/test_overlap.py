"""The units of ROUGE."""

import random
import re
import unicodedata

import pytest

from dadeum.evaluate.metrics import Scored
from dadeum.evaluate.overlap import _kiwi, characters, common, content, morphemes, plain, rouge, scores_of


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
    assert set(words) == {"rouge1_word", "rouge2_word", "rougeL_word", "rougeLsum_word"}
    assert words["rouge1_word"].rows == ((0.5, 1.0), None)
    assert "units:blanks" in words["rouge1_word"].signature


def test_content_is_what_is_said() -> None:
    assert content("저는 민법을 750번 열심히 공부합니다!") == ("민법", "750", "열심히", "공부")
    assert content("API를 2번 쓰고 法을 봅니다") == ("API", "2", "쓰", "法", "보")
    assert content("네, 그것은 저의 것입니다.") == ()


def test_the_longest_common_sequence_equals_the_table() -> None:
    draw = random.Random(0)
    for _ in range(300):
        a, b = (tuple(draw.choices("가나다라", k=draw.randrange(40))) for _ in range(2))
        table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
        for i, one in enumerate(a):
            for j, other in enumerate(b):
                table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
        assert common(a, b) == table[-1][-1]


def test_lines_are_sentences_as_in_rouge_score() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL", "rougeLsum"])
    draw = random.Random(1)
    for _ in range(200):
        said, true = ("".join(draw.choices(["a ", "b ", "c ", "d. ", "\n"], k=draw.randrange(25))) for _ in range(2))
        direct = scorer.score(true, said)
        found = scores_of(said, true, lambda text: tuple(re.findall("[a-z0-9]+", text)), whole=False)
        for key in direct:
            assert found[key] == pytest.approx(direct[key].fmeasure, abs=1e-12)
