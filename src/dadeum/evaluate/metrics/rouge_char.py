"""ROUGE-1/2/L/Lsum by characters without blanks: `rouge1_char` and so on, from 0 to 1. Spacing does not count."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "0-1"
keys = {
    "rouge1_char": ("F1 of characters", "글자의 F1"),
    "rouge2_char": ("F1 of pairs of characters", "이어진 글자 쌍의 F1"),
    "rougeL_char": ("F1 of the longest common sequence of characters", "공통으로 이어지는 가장 긴 글자 열의 F1"),
    "rougeLsum_char": (
        "the same line by line: the order of lines does not count",
        "줄마다 잰 rougeL_char: 줄의 순서는 보지 않음",
    ),
}


class Settings(MemberSettings):
    """ROUGE by characters."""

    type: Literal["rouge_char"] = "rouge_char"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`rouge1_char`, `rouge2_char`, `rougeL_char`, `rougeLsum_char`."""
    from dadeum.evaluate.overlap import characters, rouge

    return rouge(samples, characters, "_char", "characters-no-blanks")


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import unicodedata

    text, names = "민법 제750조", tuple(keys)
    same, none = dict.fromkeys(names, 1.0), dict.fromkeys(names, 0.0)
    return [
        Example("identical", "같음", [Scored(text, text)], same),
        Example("NFD is NFC", "NFD와 NFC", [Scored(unicodedata.normalize("NFD", text), text)], same),
        Example("spacing does not count", "띄어쓰기는 보지 않음", [Scored("민법제 750조", text)], same),
        Example("no character in common", "겹치는 글자 없음", [Scored("나비", text)], none),
        Example(
            "half of it too much",
            "절반이 남음",
            [Scored("가나다라", "가나")],
            {"rouge1_char": 2 / 3, "rouge2_char": 1 / 2, "rougeL_char": 2 / 3, "rougeLsum_char": 2 / 3},
        ),
        Example("nothing said", "빈 답", [Scored("", text)], none),
        Example("blank reference", "빈 기준 답", [Scored(text, " ")], dict.fromkeys(names)),
    ]
