"""What counts as drifting out of Hangul, and what does not."""

import pytest

from dadeum.evaluate.metrics import Scored, hangul_drift


def row(
    said: str | None, asked: str | None = "무엇입니까?", true: str | None = None, **settings: float
) -> tuple[object, object]:
    found = hangul_drift.score(hangul_drift.Settings(**settings), [Scored(said, true, question=asked)])
    return found["hangul_drift"].rows[0], found["foreign_letters"].rows[0]


@pytest.mark.parametrize(
    ("said", "foreign", "letters"),
    [
        ("민법 제750조입니다. 1,000원! ㅋㅋㅠ 😀", 0, 11),
        ("그런데 这个", 2, 5),
        ("これ는", 2, 3),
        ("Привет 안녕", 6, 8),
        ("ok", 2, 2),
        ("善意(선의)", 2, 4),
    ],
)
def test_letters_of_any_other_script_are_foreign(said: str, foreign: int, letters: int) -> None:
    assert row(said) == ((float(foreign / letters > 0.1), 1.0), (float(foreign), float(letters)))


def test_what_was_given_is_not_foreign() -> None:
    assert row("GPU와 善意", "gpu는 무엇입니까", "善意의 제3자입니다")[1] == (0.0, 6.0)
    assert row("GPUs", "gpu는 무엇입니까")[1] == (4.0, 4.0)  # another word


def test_the_share_is_a_setting() -> None:
    said = "가나다라마바사아 xy"
    assert row(said, share=0.19)[0] == (1.0, 1.0)
    assert row(said, share=0.2)[0] == (0.0, 1.0)
    assert "above:0.2" in hangul_drift.score(hangul_drift.Settings(share=0.2), [])["hangul_drift"].signature


def test_rows_that_do_not_count() -> None:
    assert row(None) == (None, None)
    assert row("yes", asked=None) == (None, None)
    assert row("yes", "Is it?") == (None, None)
    assert row("butterfly", "나비를 영어로", "butterfly") == (None, None)
    assert row("") == ((0.0, 1.0), None)  # who says nothing has not drifted
