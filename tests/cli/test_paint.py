"""Painted samples in a terminal: colours, or marks that no row can feign."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from dadeum.cli.paint import BETWEEN, WIDTH, Marks, show_exhibit
from dadeum.data.exhibit import Exhibit, Shown
from dadeum.data.render import Renderer
from dadeum.data.show import Painted, Painter
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import Messages, talk
from tests.data.small import make_tokenizer
from tests.data.test_show import entry, row

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def painter(tmp_path: Path) -> Painter:
    return Painter(Renderer(load_tokenizer(make_tokenizer(tmp_path))), "assistant", pretrain=False)


def exhibit(painter: Painter, messages: Messages) -> Exhibit:
    samples = painter.row(row(messages), [entry(s) for s in painter.renderer.samples(messages, "assistant")])
    return Exhibit("tiny", "train", True, {"part": "train"}, [], [Shown(row(messages), "first", samples)])


def printed(found: Exhibit, *, terminal: bool, width: int = 80, ids: bool = True, no_color: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=terminal, color_system="standard" if terminal else None, width=width,
        soft_wrap=True, highlight=False, no_color=no_color,
    )  # fmt: skip
    show_exhibit(console, found, ids=ids)
    return out.getvalue()


def test_marks_on_a_pipe(painter: Painter) -> None:
    said = printed(exhibit(painter, talk("[red]질문[/red]", "답\n\n둘째 " + "긴 줄 " * 40)), terminal=False)
    text = (
        "«<|im_start|>»user⏎\n[red]질문[/red]«<|im_end|>»⏎\n«<|im_start|>»assistant⏎\n"
        "{+답⏎\n⏎\n둘째 " + "긴 줄 " * 40 + "«<|im_end|>»+}\n"
    )
    assert text in said  # lines are broken only where the text does
    assert "\x1b" not in said
    assert "1/1  rows.csv:2  (row 0, first)" in said


def test_the_list_holds_every_id_in_order(painter: Painter) -> None:
    found = exhibit(painter, talk("뷁 fox", "답  둘"))
    (sample,) = found.shown[0].samples
    listed = printed(found, terminal=False).split("\n\n")[-1]
    written = [word for chip in listed.split() for word in [chip.strip("{+}")] if word.isdigit()]
    assert written == [str(t.id) for t in sample.tokens()]
    assert "뷁 " + " ".join(str(t.id) for g in sample.groups if g.text == "뷁" for t in g.tokens) in listed
    assert all(len(line) <= WIDTH + len(BETWEEN) for line in listed.splitlines())
    assert printed(found, terminal=False, ids=False) + "\n" + listed == printed(found, terminal=False)


def test_colours_tell_the_same(painter: Painter) -> None:
    found = exhibit(painter, talk("질문 <|im_end|>", "답 [red]둘[/red]"))
    said = printed(found, terminal=True)
    green = "".join(re.findall(r"\x1b\[(?:1;4;)?32m(.*?)\x1b\[0m", said.split("assistant⏎")[1].split("\n\n")[0]))
    assert green == "답 [red]둘[/red]<|im_end|>"
    assert "\x1b[1;4;32m<|im_end|>\x1b[0m" in said  # trained and special
    assert said.count("\x1b[4;36m<|im_start|>") == 4  # in the text and in the list
    assert "{+" not in said
    plain = [line.rstrip() for line in ANSI.sub("", said).splitlines()]
    assert "  답 [red]둘[/red]<|im_end|>" in plain


def test_without_colours_a_terminal_gets_marks(painter: Painter) -> None:
    said = printed(exhibit(painter, talk("질문", "답")), terminal=True, no_color=True)
    assert "{+답«<|im_end|>»+}" in ANSI.sub("", said)


def test_what_was_cut_is_struck(painter: Painter) -> None:
    lost = painter.row(row(talk("질문", "긴 답")), [], "too long [bold]")
    found = Exhibit("tiny", "train", True, {}, ["a note"], [Shown(lost[0].row, "first", lost)])
    said = printed(found, terminal=False, ids=False)
    assert "[-«<|im_start|>»user⏎" in said and said.rstrip().endswith("-]")
    assert "dropped: too long [bold]" in said and "a note" in said
    assert "\x1b[9;31m긴" in printed(found, terminal=True)


def test_a_row_without_tokens_shows_its_text(painter: Painter) -> None:
    lost = painter.row(row(talk("글 [b]\x1b[2J", " ")), [], "empty")
    found = Exhibit("tiny", "train", True, {}, [], [Shown(lost[0].row, "first", lost)])
    assert "글 [b]␛[2J" in printed(found, terminal=False)


def test_marks_cannot_be_feigned(painter: Painter) -> None:
    said = printed(exhibit(painter, talk("{+ 가짜 +}", "« [- 답 -]")), terminal=False, ids=False)
    assert "{{+trained+}}" in said and "{{+« [- 답 -]««<|im_end|>»»+}}" in said
    assert Marks.absent_from(["a", "{{+"]).trained == ("{{{+", "+}}}")
    assert Marks.absent_from([""]) == Marks(("{+", "+}"), ("«", "»"), ("[-", "-]"))


def test_rows_of_other_parts_are_measured(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    found = replace(exhibit(painter, talk("질문", "답")), trains=False)
    said = printed(found, terminal=False)
    assert "{+measured+}  ·  not measured" in said and " 3 measured (" in said and "trained" not in said
    monkeypatch.setenv("DADEUM_LANG", "ko")
    said = printed(found, terminal=False)
    assert "{+평가+}  ·  평가 안 함" in said and "· 평가 3 (" in said and "학습" not in said


def test_counts_in_both_languages(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    (sample,) = exhibit(painter, talk("질문", "답")).shown[0].samples
    total = sample.counts()["total"]
    share = f"{3 / total:.0%}"
    assert sample.told("trained", "{:,}".format) == f"{total} tokens · 3 trained ({share}) · 4 special · 0 cut"
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert sample.told("학습", "{:,}".format) == f"토큰 {total} · 학습 3 ({share}) · 특수 4 · 잘림 0"
    assert Painted(sample.row, 1, 1, (), 2).told("학습", "{:,}".format).endswith("· 토크나이저가 모르는 것 2")


def test_what_a_head_learns_stands_above_its_text(painter: Painter) -> None:
    found = exhibit(painter, talk("질문", "답"))
    (sample,) = found.shown[0].samples
    assert "label:" not in printed(found, terminal=False)
    shown = replace(found.shown[0], samples=[replace(sample, labels="[red]좋다\x1b")])
    assert "label: [red]좋다␛\n" in printed(replace(found, shown=[shown]), terminal=False)
