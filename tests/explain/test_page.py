"""The page: whole, alone, and safe against what a row says."""

import re
from dataclasses import replace

import pytest

from dadeum.explain.facts import Explanation
from dadeum.explain.page import page
from tests.explain.test_chapters import found

__all__ = ["found"]


def test_the_page_needs_nothing_else(found: Explanation) -> None:
    made = page(found)
    assert made.startswith("<!doctype html>") and "default-src 'none'" in made
    assert not re.findall(r"<(?:script|link|img|iframe)\b|https?://|@import|url\(", made)
    assert made.count('<section class="ch"') == 11 and made.count("<svg") == 1
    assert made.count('<section class="ch"') == len(re.findall(r'href="#c\d+"', made))
    for tag in ("div", "section", "table", "tr", "td", "p", "svg"):
        assert len(re.findall(rf"<{tag}\b", made)) == made.count(f"</{tag}>"), tag


def test_what_a_row_says_is_text(found: Explanation) -> None:
    row = replace(found.row, messages=[{"role": "user", "content": "<script>alert(1)</script>"}], text="<img src=x>")
    made = page(Explanation(found.taken, row))
    assert "<script" not in made and "&lt;script&gt;" in made and "<img" not in made and "&lt;b&gt;x&lt;/b&gt;" in made


def test_long_names_of_weights_are_broken_where_a_screen_is_narrow() -> None:
    """They stand in sentences; one that is not broken makes the whole page wider than a telephone."""
    from dadeum.explain.page import LOOK

    (sentences,) = re.findall(r"\.ch > p \{([^}]*)\}", LOOK)
    assert "overflow-wrap: anywhere" in sentences


def test_its_classes_do_not_meet_those_of_the_painted_sample() -> None:
    """Both styles stand on one page."""
    from dadeum.data.show_page import STYLE
    from dadeum.explain.page import LOOK

    theirs = set(re.findall(r"(?<![\w.])\.([a-z]\w*)", STYLE))
    ours = set(re.findall(r"(?<![\w.)])\.([a-z]\w*)(?=[ ,{:.])", LOOK))
    assert ours & theirs <= {"legend", "ch"}


@pytest.mark.parametrize("language", ["en", "ko"])
def test_it_says_its_language(found: Explanation, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", language)
    assert f'<html lang="{language}">' in page(found)
