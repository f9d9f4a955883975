"""Length of answers against references."""

from dadeum.evaluate.metrics import Scored, length_ratio


def test_rows_and_no_direction() -> None:
    value = length_ratio.score(
        length_ratio.Settings(), [Scored(" 가나 ", "가"), Scored("", "가나"), Scored(None, "가")]
    )
    assert value["length_ratio"].rows == ((2.0, 1.0), (0.0, 2.0), None)
    assert length_ratio.higher_is_better is None
