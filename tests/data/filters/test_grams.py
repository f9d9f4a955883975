"""Runs of characters as numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dadeum.data.filters._grams import grams, squeezed, whole


def oracle(text: str, n: int) -> set[str]:
    return {text[i : i + n] for i in range(max(1, len(text) - n + 1))} if text else set()


@given(st.text(max_size=30), st.text(max_size=30), st.integers(1, 6))
def test_runs_are_equal_where_the_texts_are(one: str, other: str, n: int) -> None:
    one, other = (text.encode(errors="ignore").decode() for text in (one, other))
    left, right = grams(one, n), grams(other, n)
    assert len(left) == len(oracle(one, n))
    assert len(np.intersect1d(left, right)) == len(oracle(one, n) & oracle(other, n))


def test_white_space_and_case_do_not_count() -> None:
    assert squeezed("\u1100\u1161 나\n다\u3000Ra") == "가나다ra"
    assert squeezed("함께 놀러가고 싶다") == squeezed("함께  놀러 가고싶다")


def test_a_whole_is_no_run_of_anything() -> None:
    assert len(whole("가나다라")) == 1 and len(grams("", 3)) == 0 == len(whole(""))
    assert not np.isin(whole("가나다"), grams("가나다라", 3))
    assert np.array_equal(whole("가나다"), grams("가나다", 4))
