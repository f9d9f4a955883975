"""The page of a comparison: every number, and nothing that a model or a row says as anything but text."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from dadeum.evaluate.comparison_page import comparison_page, label, p_text, picture, verdict, verdict_word

EVIL = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) =cmd() \"'"


def metric(name: str, higher: bool | None, low: float, high: float, **more: Any) -> dict[str, Any]:
    middle = (low + high) / 2
    held = {"difference": middle, "low": low, "high": high, "wins": 5, "ties": 3, "losses": 2, "n": 10, "p": 0.0423}
    return {
        "name": name,
        "unit": "",
        "higher_is_better": higher,
        "signature": f"{name}|1",
        "n": 10,
        "values": {"base": 1.0, "tuned": 1.0 + middle},
        "intervals": {"base": [0.5, 1.5], "tuned": [0.6, 1.7]},
        "floors": {"tuned": 0.25},
        "differences": {"tuned": held | {"clear": low > 0 or high < 0}},
        "ranked": True,
        **more,
    }


def found(**more: Any) -> dict[str, Any]:
    row = {
        "row": 3,
        "question": "물음",
        "reference": "답",
        "category": "민법",
        "values": {"base": 0.25, "tuned": 0.75},
        "answers": {"base": "하나", "tuned": "둘"},
    }
    cell = {"n": 4, "units": 4, "values": {"base": 0.5, "tuned": 0.625}, "differences": {}}
    return {
        "models": ["base", "tuned"],
        "metrics": [metric("rougeL", True, 0.1, 0.3), metric("perplexity", False, -2.0, -1.0)],
        "notes": ["한 가지"],
        "bootstrap": {"draws": 10_000, "seed": 42, "units": "rows"},
        "environments": {"base": {"device": "cpu", "dtype": "float32", "versions": {"torch": "2"}}, "tuned": {}},
        "categories": {"rows": {"민법": 4}, "left_out": 2, "few": 10, "metrics": {"rougeL": {"민법": cell}}},
        "changes": {"metric": "rougeL", "models": {"tuned": {"gains": [row], "losses": []}}},
        "seeds": {
            "seeds": [1, 2],
            "metrics": {"rougeL": {"values": {"1": 0.1, "2": 0.2}, "sd": 0.07, "low": 0.1, "high": 0.2}},
        },
        **more,
    }


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_numbers_categories_changes_seeds_and_notes_are_there() -> None:
    page = comparison_page(found())
    for text in ("+0.2", "[+0.1, +0.3]", "p 0.042", "5/3/2", "±0.07 over 2 seeds [0.1, 0.2]", "0.25", "민법", "+0.125"):
        assert text in page, text
    for text in ("물음", "하나", "둘", "한 가지", "10,000", "rougeL|1", "2 further categories", "fewer than 10 rows"):
        assert text in page, text
    assert not Tags(page).open


def worse(value: Any) -> Any:
    """The same with names, texts and categories that are meant to break the page."""
    if isinstance(value, dict):
        return {worse(key): worse(one) for key, one in value.items()}
    if isinstance(value, list):
        return [worse(one) for one in value]
    return (
        value + EVIL if value in ("base", "tuned", "민법", "물음", "하나", "한 가지", "rougeL", "rougeL|1") else value
    )


def test_nothing_that_others_say_is_more_than_text() -> None:
    evil = worse(found())
    tags = Tags(comparison_page(evil))
    assert not tags.open
    assert {tag for tag, _ in tags.seen}.isdisjoint({"img", "script", "a", "iframe", "object", "link"})
    assert not any(name.startswith("on") or name in ("href", "src") for _, attrs in tags.seen for name in attrs)
    assert "&lt;img" in comparison_page(evil)


def test_a_page_stands_alone() -> None:
    page = comparison_page(found())
    assert "default-src 'none'" in page and "prefers-color-scheme: dark" in page
    assert not re.search(r"https?://|@import|url\(", page)


@pytest.mark.parametrize(
    ("higher", "low", "high", "kind", "right"),
    [
        (True, 0.1, 0.3, "better", True),
        (True, -0.3, -0.1, "worse", False),
        (False, -0.3, -0.1, "better", True),
        (False, 0.1, 0.3, "worse", False),
        (True, -0.1, 0.3, "unclear", True),
        (None, 0.1, 0.3, "differs", True),
    ],
)
def test_better_is_to_the_right(higher: bool | None, low: float, high: float, kind: str, right: bool) -> None:
    one = metric("m", higher, low, high)
    assert verdict(one, "tuned") == kind
    drawn = picture(found(metrics=[one]), "tuned")
    (dot,) = re.findall(r'class="bar (\w+)" cx="([\d.]+)%"', drawn)
    assert dot[0] == kind and (float(dot[1]) > 50) == right
    ends = [float(x) for x in re.findall(r'class="bar \w+" x1="([\d.]+)%" x2="([\d.]+)%"', drawn)[0]]
    assert all(4 <= end <= 96 for end in ends) and verdict_word(kind) in drawn


def test_a_few_rows_make_nobody_sure() -> None:
    assert verdict(metric("rougeL", True, 0.1, 0.3, units=10), "tuned") == "better"
    assert verdict(metric("rougeL", True, 0.1, 0.3, units=9), "tuned") == "unclear"


def test_what_is_not_ranked_has_no_picture() -> None:
    one = metric("perplexity", False, 1, 2, differences={}, ranked=False)
    assert verdict(one, "tuned") == "" and "<svg" not in picture(found(metrics=[one]), "tuned")
    assert "unlike tokenizers" in picture(found(metrics=[one]), "tuned")


def test_small_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [p_text(p) for p in (None, 0.5, 0.0001)] == ["", "p 0.500", "p < 0.001"]
    assert [label(metric("m", way, 0, 1)) for way in (True, False, None)] == ["m ↑", "m ↓", "m ·"]
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert "모델 비교" in comparison_page(found()) and "분류별" in comparison_page(found())


def test_what_was_not_found_leaves_no_heading() -> None:
    page = comparison_page(found(metrics=[], categories=None, changes=None, seeds=None, notes=[]))
    assert page.count("<h2>") == 1 and "How it was made" in page
