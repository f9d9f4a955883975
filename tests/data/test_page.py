"""The frame of a page: what is said on it stays text, and nothing is loaded."""

import pytest

from dadeum.data.page import document, escaped, facts


def test_nothing_that_is_said_becomes_a_part_of_the_page() -> None:
    assert escaped("<b>&\x1b[0m") == "&lt;b&gt;&amp;␛[0m"
    assert facts([("<i>", "</dd>")]) == "<dl><dt>&lt;i&gt;</dt><dd>&lt;/dd&gt;</dd></dl>"
    assert "<u>" not in document("<u>title</u>", "", "")


def test_the_browser_is_told_to_load_nothing() -> None:
    text = document("t", "p { margin: 0 }", "<p>here</p>")
    assert "default-src 'none'; style-src 'unsafe-inline'" in text and "<p>here</p>" in text
    assert "p { margin: 0 }</style>" in text and "prefers-color-scheme: dark" in text


def test_it_says_its_language(monkeypatch: pytest.MonkeyPatch) -> None:
    assert '<html lang="en">' in document("t", "", "")
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert '<html lang="ko">' in document("t", "", "")
