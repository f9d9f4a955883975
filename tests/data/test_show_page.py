"""The page: self-contained, escaped, and what stands in it is what is trained."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dadeum.data.exhibit import Exhibit, Shown
from dadeum.data.render import Renderer
from dadeum.data.show import Painter
from dadeum.data.show_page import page
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import talk
from tests.data.small import make_tokenizer
from tests.data.test_show import entry, row

QUESTION = "<script>alert('x')</script> & \"<b>\" </style> &amp; \x1b[0m <|im_end|> 뷁"
ANSWER = "답 <img src=x onerror=alert(1)>\n\n  둘째 줄"


class Reader(HTMLParser):
    """What a browser would make of the page: its elements, and the text of each token."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.policy = ""
        self.tokens: list[tuple[set[str], str, str]] = []  # classes, text, ids
        self.open: list[tuple[str, set[str]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.attributes |= set(given)
        if tag == "meta" and given.get("http-equiv"):
            self.policy = str(given["content"])
            return
        looks = set((given.get("class") or "").split())
        if tag == "span" and "k" in looks and "title" in given:
            self.tokens.append((looks, "", ""))
            looks = looks | {"token"}
        if tag == "i" and "n" in looks:
            self._add("\n")
        if tag not in ("meta", "input"):
            self.open.append((tag, looks))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag, "elements are closed in order"

    def handle_data(self, data: str) -> None:
        if any("token" in looks for _, looks in self.open):
            # The line end itself stands beside its sign.
            self._add(data.replace("\n", ""))

    def _add(self, text: str) -> None:
        looks, before, ids = self.tokens[-1]
        if any(tag == "small" for tag, _ in self.open):
            self.tokens[-1] = (looks, before, ids + text)
        else:
            self.tokens[-1] = (looks, before + text, ids)


@pytest.fixture
def exhibit(tmp_path: Path) -> Exhibit:
    painter = Painter(Renderer(load_tokenizer(make_tokenizer(tmp_path))), "assistant", pretrain=False)
    messages = talk(QUESTION, ANSWER)
    one = row(messages) | {"where": "<i>rows</i>.csv:2"}
    kept = painter.row(one, [entry(s) for s in painter.renderer.samples(messages, "assistant")])
    lost = painter.row(row(talk("질문", "긴 답"), 1), [], "too <b>long</b>")
    blank = painter.row(row(talk("<u>글</u>", " "), 2), [], "empty")
    shown = [Shown(one, "first", kept), Shown(lost[0].row, "longest", lost), Shown(blank[0].row, "shortest", blank)]
    return Exhibit("<i>name</i>", "train", True, {"part": "<i>train</i>"}, ["<i>note</i>"], shown)


def test_the_text_is_the_sample_and_the_green_part_the_answer(exhibit: Exhibit) -> None:
    found = Reader(page(exhibit)).tokens
    kept = [token for token in found if "c" not in token[0]]
    (sample,) = exhibit.shown[0].samples
    shown = QUESTION.replace("\x1b", "␛")
    assert "".join(text for _, text, _ in kept) == sample.text().replace("\x1b", "␛")
    assert shown in "".join(text for _, text, _ in kept)
    assert "".join(text for looks, text, _ in kept if "t" in looks) == ANSWER + "<|im_end|>"
    assert [text for looks, text, _ in kept if {"t", "s"} <= looks] == ["<|im_end|>"]
    assert " ".join(ids for _, _, ids in kept).split() == [str(t.id) for t in sample.tokens()]
    assert "".join(text for looks, text, _ in found if "c" in looks) == exhibit.shown[1].samples[0].text(cut=True)


def test_nothing_of_a_row_becomes_a_part_of_the_page(exhibit: Exhibit) -> None:
    read = Reader(page(exhibit))
    assert not read.tags & {"script", "img", "u"}
    assert "<i>name" not in page(exhibit) and "<i>rows" not in page(exhibit) and "<u>" not in page(exhibit)
    assert "&lt;u&gt;글&lt;/u&gt;" in page(exhibit) and "too &lt;b&gt;long" in page(exhibit)
    assert not any(name.startswith("on") for name in read.attributes)


def test_it_needs_nothing_else(exhibit: Exhibit) -> None:
    text = page(exhibit)
    read = Reader(text)
    assert read.attributes & {"src", "href", "srcset", "action"} == set()
    assert "url(" not in text and "@import" not in text and "://" not in text
    assert read.policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert "prefers-color-scheme: dark" in text and "@media print" in text


def test_both_languages(exhibit: Exhibit, monkeypatch: pytest.MonkeyPatch) -> None:
    assert '<html lang="en">' in page(exhibit) and "trained special token" in page(exhibit)
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert '<html lang="ko">' in page(exhibit) and "학습하는 특수 토큰" in page(exhibit)
    assert "trained special token" not in page(exhibit)


def test_rows_of_other_parts_are_measured(exhibit: Exhibit) -> None:
    text = page(replace(exhibit, trains=False)).split("</style>")[1]
    assert "measured special token" in text and "trained" not in text


def test_what_a_head_learns_is_told_as_text(exhibit: Exhibit) -> None:
    (sample,) = exhibit.shown[0].samples
    shown = replace(exhibit.shown[0], samples=[replace(sample, labels="<i>좋다</i>")])
    assert "label: <b>&lt;i&gt;좋다&lt;/i&gt;</b>" in page(replace(exhibit, shown=[shown]))
    assert "label: <b>" not in page(exhibit)
