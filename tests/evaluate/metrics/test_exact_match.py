"""Equal is equal after NFC and with runs of blanks as one; nothing else is forgiven."""

import unicodedata

import pytest

from dadeum.evaluate.metrics import Scored, exact_match


@pytest.mark.parametrize(
    ("prediction", "reference", "same"),
    [
        ("네", "네", 1.0),
        (" 네,\n 그래요 ", "네, 그래요", 1.0),
        (unicodedata.normalize("NFD", "각하"), "각하", 1.0),
        ("네", "네.", 0.0),
        ("Yes", "yes", 0.0),
        ("", "네", 0.0),
    ],
)
def test_rows(prediction: str, reference: str, same: float) -> None:
    value = exact_match.score(exact_match.Settings(), [Scored(prediction, reference)])["exact_match"]
    assert value.rows == ((same, 1.0),)


def test_a_blank_reference_counts_for_nothing() -> None:
    assert exact_match.score(exact_match.Settings(), [Scored("", " "), Scored("네", "")])["exact_match"].rows == (
        None,
        None,
    )
