"""Repeated runs of morphemes, and loops, against slow ways of counting them."""

import random

from dadeum.evaluate.metrics import Scored, repetition


def by_hand(text: str) -> int:
    """Every stretch and every period."""
    best, longer = 0, f"{text} "
    for start in range(len(longer)):
        for period in range(1, (len(longer) - start) // 3 + 1):
            end = start + period
            while end < len(longer) and longer[end] == longer[end - period]:
                end += 1
            if end - start >= 3 * period:
                best = max(best, min(end - start, len(text)))
    return best if best >= 10 else 0


def test_the_longest_loop_equals_the_slow_way() -> None:
    draw = random.Random(0)
    found = []
    for _ in range(150):
        text = "".join(draw.choices("가나 ", k=draw.randrange(40))).strip()
        found.append(repetition.longest_loop(text))
        assert found[-1] == by_hand(text), text
    assert 0 in found and max(found) > 10


def test_rows() -> None:
    found = repetition.score(repetition.Settings(), [Scored("계약 " * 20), Scored(None), Scored("네")])
    assert found["repetition"].rows == ((16.0, 17.0), None, None)
    assert found["loops"].rows == ((59.0, 59.0), None, (0.0, 1.0))
