"""Unlike morphemes of an answer, of summed counts."""

from dadeum.evaluate.metrics import Scored, distinct


def test_rows_hold_unlike_and_all() -> None:
    found = distinct.score(distinct.Settings(), [Scored("계약 해제 계약"), Scored("계약."), Scored(""), Scored(None)])
    assert found["distinct1"].rows == ((2.0, 3.0), (1.0, 1.0), None, None)
    assert found["distinct2"].rows == ((2.0, 2.0), None, None, None)
    assert "within:answer" in found["distinct1"].signature
