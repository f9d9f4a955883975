"""The check as a page: self-contained, escaped, and its picture shows what was counted."""

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dadeum.cli.check_page import page
from dadeum.cli.check_words import histogram
from dadeum.data.findings import Report
from tests.data.checks import check, small_measure
from tests.data.small import csv

HOW = "with --tokenizer"


class Reader(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements are closed in order"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


@pytest.fixture
def broken(tmp_path: Path) -> Report:
    text = csv(60) + "질문 1번?,<script>alert(1)</script>\n질문 2번?,답 2입니다\n없음,\n" + f"길다,{'긴 답 ' * 60}\n"
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    return check(tmp_path, "rows.csv", measure=small_measure(tmp_path / "t"), max_length=128)


def bars(text: str) -> list[tuple[str, float]]:
    """What stands at each bar, and how high it is."""
    svg = re.search(r"<svg.*?</svg>", text, re.DOTALL)
    assert svg is not None
    tree = ElementTree.fromstring(svg[0])
    return [(g.findtext("title") or "", float(g.find("rect").get("height") or 0)) for g in tree.iter("g")]  # type: ignore[union-attr]


def test_findings_come_first_and_figures_after(broken: Report) -> None:
    said = Reader(page("rows.csv", broken, HOW)).text
    wanted = (
        "cannot be trained as it is",
        "stops",
        "warning",
        "Rows",
        "Columns",
        "Lengths",
        "What a limit would do",
        "Tokens",
    )
    places = [said.index(word) for word in wanted]
    assert places == sorted(places)
    assert "rows.csv:64" in said and "read 64 · usable 63 · faulty 1" in said and "▸ 128" in said


def test_the_picture_shows_what_was_counted(broken: Report) -> None:
    _, bins = histogram(broken.facts)
    drawn = bars(page("rows.csv", broken, HOW))
    assert [told for told, _ in drawn] == [f"{name}: {count:,}" for name, count in bins]
    most = max(count for _, count in bins)
    highest = max(height for _, height in drawn)
    for (_, count), (_, height) in zip(bins, drawn, strict=True):
        assert height == pytest.approx(max(count / most * highest, 2.0 if count else 0.0), abs=0.1)


def test_nothing_of_a_row_becomes_a_part_of_the_page(broken: Report) -> None:
    text = page("<i>rows</i>.csv", broken, HOW)
    read = Reader(text)
    assert not read.tags & {"script", "img", "i", "a", "iframe"} and "&lt;script&gt;" in text
    assert not read.attributes & {"src", "href", "srcset", "action", "style"}
    assert not any(name.startswith("on") for name in read.attributes)
    assert "url(" not in text and "@import" not in text and "://" not in text


def test_without_a_tokenizer_characters_are_drawn(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(csv(30), encoding="utf-8")
    text = page("rows.csv", check(tmp_path, "rows.csv"), HOW)
    assert HOW in text and "characters a row" in text and "can be trained as it is" in text and bars(text)


def test_nothing_was_read(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("", encoding="utf-8")
    text = page("rows.csv", check(tmp_path, "rows.csv"), HOW)
    assert "expected rows" in text and "<svg" not in text


def test_in_korean(broken: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    said = Reader(page("data/rows.csv", broken, HOW)).text
    assert "데이터 점검: rows.csv" in said and "data/rows.csv" in said and "이대로는 학습할 수 없습니다" in said
    assert "샘플의 토큰" in said and "tokens a sample" not in said
