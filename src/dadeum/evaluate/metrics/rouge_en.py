"""The classic English ROUGE, as the package rouge-score counts it without stemming: `rouge1_en` and so on, from 0 to 1.

Its words are runs of a-z and 0-9. Of Hangul it sees nothing, so a row whose reference is not in Latin letters has no value
here: a score of nothing would look like a score.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value, text_rows

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "0-1"
keys = {
    "rouge1_en": ("F1 of English words", "영어 낱말의 F1"),
    "rouge2_en": ("F1 of pairs of English words", "이어진 영어 낱말 쌍의 F1"),
    "rougeL_en": ("F1 of the longest common sequence of English words", "공통으로 이어지는 가장 긴 영어 낱말 열의 F1"),
    "rougeLsum_en": (
        "the same line by line: the order of lines does not count",
        "줄마다 잰 rougeL_en: 줄의 순서는 보지 않음",
    ),
}
WORD = re.compile("[a-z0-9]+")
LATIN = 0.5  # of the letters


class Settings(MemberSettings):
    """ROUGE of English words."""

    type: Literal["rouge_en"] = "rouge_en"


def _words(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(text))


def _latin(text: str) -> bool:
    letters = [c for c in text.lower() if c.isalpha()]
    return sum("a" <= c <= "z" for c in letters) >= LATIN * len(letters) and bool(_words(text.lower()))


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`rouge1_en`, `rouge2_en`, `rougeL_en`, `rougeLsum_en`."""
    from dadeum.evaluate.overlap import rouge

    found = rouge(samples, _words, "_en", "words a-z0-9|stem:no", counts=_latin, whole=False)
    other = sum(pair is not None and not _latin(pair[1]) for pair in text_rows(samples))
    if not other:
        return found
    note = say(
        f"the references of {other} rows are not in Latin letters, of which ROUGE of English words sees nothing: they do not "
        "count; take rouge or rouge_char",
        f"{other}행의 기준 답은 로마자가 아니어서 영어 낱말의 ROUGE가 볼 것이 없으므로 뺍니다. rouge나 rouge_char를 쓰세요",
    )
    return {key: replace(value, note=note) for key, value in found.items()}


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand."""
    text, names = "the cat sat", tuple(keys)
    return [
        Example("identical", "같음", [Scored("The cat sat.", text)], dict.fromkeys(names, 1.0)),
        Example("no word in common", "겹치는 낱말 없음", [Scored("a dog", text)], dict.fromkeys(names, 0.0)),
        Example(
            "two of three words",
            "세 낱말 중 둘",
            [Scored("the cat ran", text)],
            {"rouge1_en": 2 / 3, "rouge2_en": 1 / 2, "rougeL_en": 2 / 3, "rougeLsum_en": 2 / 3},
        ),
        Example(
            "lines in another order",
            "줄 순서가 다름",
            [Scored("red car\nblue sky", "blue sky\nred car")],
            {"rouge1_en": 1, "rougeL_en": 1 / 2, "rougeLsum_en": 1},
        ),
        Example(
            "one word has no pair", "한 낱말에는 쌍이 없음", [Scored("yes", "yes")], {"rouge1_en": 1, "rouge2_en": 0}
        ),
        Example("nothing said", "빈 답", [Scored("", text)], dict.fromkeys(names, 0.0)),
        Example("Hangul has no value here", "한글은 재지 않음", [Scored("계약", "계약")], dict.fromkeys(names)),
    ]
