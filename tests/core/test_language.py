"""dadeum.core.language: who is spoken to in which language."""

import pytest

from dadeum.core.language import language, say

NAMES = ("DADEUM_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "ko_KR"}, "ko"),
        ({"LC_ALL": "ko_KR.UTF-8", "DADEUM_LANG": "en"}, "en"),
        ({"LC_ALL": "C", "DADEUM_LANG": "KO"}, "ko"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
    ],
)
def test_first_variable_that_says_something_wins(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == expected
    assert say("no", "아니요") == {"en": "no", "ko": "아니요"}[expected]
