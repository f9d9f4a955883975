"""How much of the answers says the same again: `repetition`, runs of four morphemes; `loops`, one stretch over and over.

`repetition` is 1 − unlike ÷ all runs of four morphemes in an answer (Welleck et al. 2020). `loops` is the share of
characters that stand in the longest loop of their answer: at least three times the same one after the other, ten characters
or more in all.
"""

import unicodedata
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Row, Scored, Sums, Value

PACKAGES = ("kiwipiepy", "kiwipiepy_model")
needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = False
floored = False
unit = "0-1"
keys = {
    "repetition": (
        "share of runs of four morphemes that stood before in the answer",
        "답에서 앞에 나온 형태소 넷 묶음의 비율",
    ),
    "loops": ("share of characters in the longest loop of an answer", "답의 가장 긴 되풀이에 든 글자의 비율"),
}
ORDER, TIMES, LEAST = 4, 3, 10


class Settings(MemberSettings):
    """Repetition and loops."""

    type: Literal["repetition"] = "repetition"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`repetition`, `loops`."""
    from dadeum.evaluate.overlap import kiwi_version, runs

    repeated: list[Row | None] = []
    looped: list[Row | None] = []
    for one in samples:
        grams = runs(one.prediction, ORDER)
        repeated.append((float(len(grams) - len(set(grams))), float(len(grams))) if grams else None)
        text = " ".join(unicodedata.normalize("NFC", one.prediction or "").split())
        looped.append((float(longest_loop(text)), float(len(text))) if text else None)
    cut = f"units:{kiwi_version()}-no-punctuation|case:lower|norm:NFC"
    return {
        "repetition": Value(tuple(repeated), f"repetition|n:{ORDER}|{cut}|agg:sum/sum"),
        "loops": Value(tuple(looped), f"loops|units:characters|norm:NFC|times:{TIMES}|least:{LEAST}|agg:sum/sum"),
    }


def longest_loop(text: str) -> int:
    """Characters of the longest stretch that is one piece at least three times over; 0 where it has fewer than ten."""
    import numpy as np

    # The blank that parts the pieces is missing after the last one.
    letters = np.frombuffer(f"{text} ".encode("utf-32-le"), np.uint32)
    best = 0
    for period in range(1, len(letters) // TIMES + 1):
        same = letters[period:] == letters[:-period]
        breaks = np.flatnonzero(np.concatenate([[True], ~same, [True]]))
        run = int(np.diff(breaks).max()) - 1
        if run >= (TIMES - 1) * period:
            best = max(best, min(run + period, len(text)))
    return best if best >= LEAST else 0


def combine(sums: Sums) -> Sums:
    """The quotient."""
    found: Sums = sums[..., 0] / sums[..., 1]
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""
    four = "계약 해제 통지 기간"
    return [
        Example("nothing twice", "겹침 없음", [Scored(f"{four} 법원")], {"repetition": 0, "loops": 0}),
        # 12 morphemes have 9 runs of four, 4 of them unlike; all 35 characters are one loop.
        Example(
            "three times the same", "세 번 되풀이", [Scored(" ".join([four] * 3))], {"repetition": 5 / 9, "loops": 1}
        ),
        Example(
            "one character over and over", "한 글자만", [Scored("가나다라마바사아자차" + "카" * 10)], {"loops": 0.5}
        ),
        Example("three letters of laughter are no loop", "웃음 셋은 되풀이가 아님", [Scored("ㅋㅋㅋ")], {"loops": 0}),
        Example("nothing said", "빈 답", [Scored("")], {"repetition": None, "loops": None}),
    ]
