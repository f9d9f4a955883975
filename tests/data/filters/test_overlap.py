"""The text of which a row holds most, against a comparison one by one."""

from hypothesis import given
from hypothesis import strategies as st

from dadeum.data.filters._grams import squeezed
from dadeum.data.filters._overlap import Texts

LETTERS = st.text(st.sampled_from("가나다 라"), max_size=14)


def oracle(text: str, row: str, n: int) -> float:
    plain, whole = squeezed(text), squeezed(row)
    if len(plain) < n:
        return float(plain == whole)
    runs = {plain[i : i + n] for i in range(len(plain) - n + 1)}
    return sum(run in whole for run in runs) / len(runs)


@given(st.lists(LETTERS, max_size=6), LETTERS, st.integers(2, 5))
def test_the_largest_share_is_that_of_the_oracle(measured: list[str], row: str, n: int) -> None:
    texts = Texts(n)
    for number, text in enumerate(measured):
        texts.add(str(number), text)
    shares = {str(i): oracle(text, row, n) for i, text in enumerate(measured) if squeezed(text)}
    found = texts.most(row, [row])
    if found is None:
        assert max(shares.values(), default=0) == 0
    else:
        assert found[1] == max(shares.values()) == shares[found[0]]


def test_a_short_text_is_found_as_a_whole_part_only() -> None:
    texts = Texts(10)
    texts.add("x:1", "안녕?")
    assert texts.most("안녕? 반가워", ["안녕? 반가워"]) is None
    assert texts.most("안녕? 반가워", ["안녕? 반가워", " 안녕?"]) == ("x:1", 1.0)
    assert Texts(3).most("가나다", ["가나다"]) is None
