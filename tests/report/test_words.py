"""Numbers as people read them."""

import pytest

from dadeum.report import words


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (words.count(12345), "12,345"),
        (words.count(None), "None"),
        (words.score(0.48372), "0.4837"),
        (words.score(None), "–"),
        (words.signed(-1.0708), "−1.07"),
        (words.signed(0.1), "+0.1"),
        (words.between(0.1, 0.25), "[0.1, 0.25]"),
        (words.between(-0.1, 0.25, signs=True), "[−0.1, +0.25]"),
        (words.share(0.6516), "65 %"),
        (words.share(0.0123), "1.2 %"),
        (words.share(0.0), "0 %"),
        (words.size(1_477_136_384), "1.5 GB"),
        (words.size(900), "900 B"),
        (words.duration(2.56), "2.6 s"),
        (words.duration(323), "5 min 23 s"),
        (words.duration(7260), "2 h 1 min"),
    ],
)
def test_what_is_read(told: str, text: str) -> None:
    assert told == text


def test_settings_stand_as_yaml_has_them() -> None:
    value = [{"type": "chrf"}, {"type": "merged", "dtype": "auto"}, None, True, 1e-8, "text"]
    assert words.setting(value) == "[chrf, {type: merged, dtype: auto}, null, true, 1e-08, text]"
