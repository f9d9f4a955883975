"""ROUGE of content morphemes: nouns, verbs, adjectives, adverbs, numbers, foreign words; without particles and endings.

Two unrelated Korean answers share particles and endings, and have a floor of 0.14 to 0.29 in ROUGE-1 for it. What they
share here is what they speak of. A reference without any such morpheme (네) counts for nothing.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value

PACKAGES = ("kiwipiepy", "kiwipiepy_model")
needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = True
unit = "0-1"
keys = {
    "rouge1_content": ("F1 of content morphemes", "실질 형태소의 F1"),
    "rouge2_content": ("F1 of pairs of content morphemes", "이어진 실질 형태소 쌍의 F1"),
    "rougeL_content": (
        "F1 of the longest common sequence of content morphemes",
        "공통으로 이어지는 가장 긴 실질 형태소 열의 F1",
    ),
}


class Settings(MemberSettings):
    """ROUGE of content morphemes (kiwipiepy)."""

    type: Literal["rouge_content"] = "rouge_content"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`rouge1_content`, `rouge2_content`, `rougeL_content`."""
    from dadeum.evaluate.overlap import CONTENT, content, kiwi_version, plain, rouge

    def says_something(reference: str) -> bool:
        return bool(content(plain(reference)))

    name = f"{kiwi_version()}-{'+'.join(CONTENT)}"
    return rouge(samples, content, "_content", name, keys=("rouge1", "rouge2", "rougeL"), counts=says_something)


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import unicodedata

    text, names = "계약을 해제합니다", tuple(keys)
    same, none = dict.fromkeys(names, 1.0), dict.fromkeys(names, 0.0)
    return [
        Example("identical", "같음", [Scored(text, text)], same),
        Example("NFD is NFC", "NFD와 NFC", [Scored(unicodedata.normalize("NFD", text), text)], same),
        Example("other particles and endings", "조사와 어미만 다름", [Scored("계약은 해제했다", text)], same),
        Example(
            "only particles and endings in common", "조사와 어미만 같음", [Scored("나비를 구경합니다", text)], none
        ),
        Example(
            "one noun too many",
            "명사 하나 더",
            [Scored("계약과 해제와 통지", "계약의 해제")],
            {"rouge1_content": 4 / 5, "rouge2_content": 2 / 3, "rougeL_content": 4 / 5},
        ),
        Example("nothing said", "빈 답", [Scored("", text)], none),
        Example(
            "a reference without content", "실질 형태소가 없는 기준 답", [Scored("네", "네")], dict.fromkeys(names)
        ),
    ]
