"""dadeum.cli.view: marks and bars on a terminal, plain lines elsewhere."""

import io
import logging

import pytest
from rich.console import Console

from dadeum.cli import view as view_module
from dadeum.cli.view import MARKS, View
from dadeum.core.progress import Reporter


def plain() -> tuple[View, io.StringIO]:
    out = io.StringIO()
    return View(Console(file=out, highlight=False, soft_wrap=True, width=80)), out


def terminal() -> tuple[View, Console]:
    console = Console(
        file=io.StringIO(), force_terminal=True, record=True, width=100, highlight=False, color_system="truecolor"
    )
    return View(console), console


def work(view: View) -> None:
    with view:
        for name in ("preprocess", "train", "compare"):
            view.mark(name, "waiting")
        view.mark("preprocess", "fresh")
        view.mark("train", "running", "why it runs")
        reporter: Reporter = view
        reporter.start("steps of [bold]a[/b].yaml", 20, "steps")
        reporter.advance(5, loss=2.123456, memory="1.2 GB", tokens=12345)
        if view.screen is not None:
            view.screen.refresh()
        reporter.note("a note with [brackets]")
        reporter.warn("look out")
        view.mark("train", "done", "20 steps")
        view.mark("compare", "failed", "no rows")
        if view.screen is not None:
            view.screen.refresh()


def test_without_a_terminal_there_are_plain_lines() -> None:
    view, out = plain()
    work(view)
    assert out.getvalue().splitlines() == [
        "✓ preprocess",
        "▶ train: why it runs",
        "  a note with [brackets]",
        "warning: look out",
        "✓ train: 20 steps",
        "✗ compare: no rows",
    ]
    assert "\x1b" not in out.getvalue()


def test_long_work_speaks_now_and_then_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    view, out = plain()
    now = [0.0]
    monkeypatch.setattr(view_module.time, "monotonic", lambda: now[0])
    view.start("training", 100, "steps")
    for step in range(1, 41):
        now[0] = float(step)
        view.advance(step, loss=1.5)
    assert out.getvalue().splitlines() == ["  training: 16/100 steps  loss 1.5", "  training: 32/100 steps  loss 1.5"]


def test_on_a_terminal_marks_bar_and_facts_are_shown() -> None:
    view, console = terminal()
    work(view)
    shown = console.export_text()
    for name, (mark, _) in MARKS.items():
        assert mark in shown, name
    assert "steps of [bold]a[/b].yaml" in shown
    assert "5/20 steps" in shown
    assert "loss 2.123" in shown
    assert "memory 1.2 GB" in shown
    assert "tokens 12,345" in shown
    assert "a note with [brackets]" in shown
    last = shown[shown.rindex("preprocess") :]
    assert "✓ train" in last
    assert "✗ compare" in last


def test_the_bar_goes_when_its_step_is_done() -> None:
    view, _ = terminal()
    with view:
        view.mark("train", "running")
        view.start("training", 10, "steps")
        assert len(view.bar.tasks) == 1
        view.start("evaluating")
        assert [task.description for task in view.bar.tasks] == ["evaluating"]
        view.advance(3)
        view.mark("train", "done")
        assert view.bar.tasks == []
        view.advance(4)
    assert view.screen is None


def test_an_error_takes_the_screen_down() -> None:
    view, console = terminal()
    with pytest.raises(ValueError, match="inside"), view:
        view.start("training", 10)
        raise ValueError("inside")
    assert view.screen is None
    assert view.bar.tasks == []
    assert console.file.getvalue().endswith("\x1b[?25h")  # type: ignore[attr-defined]


def test_everything_that_stays_is_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("dadeum"), "propagate", True)
    with caplog.at_level(logging.INFO, logger="dadeum"):
        work(plain()[0])
    text = caplog.text
    for part in (
        "preprocess: fresh",
        "train: running why it runs",
        "a note with [brackets]",
        "look out",
        "compare: failed no rows",
    ):
        assert part in text


def test_numbers_of_a_table_stand_right() -> None:
    view, out = plain()
    view.table("a [title]", ["model", "loss [nats]", "rows"], [["기본", 2.0, 10], ["b [x]", 12.3456789, 2000]])
    shown = out.getvalue()
    assert "a [title]" in shown
    assert "loss [nats]" in shown
    rows = [[cell.rstrip(" ") for cell in line.split("│")[1:-1]] for line in shown.splitlines() if line.startswith("│")]
    assert [cell.strip() for cell in rows[1]] == ["b [x]", "12.35", "2,000"]
    assert rows[0][2].endswith("   10")
    assert rows[0][0].startswith(" 기본")


def test_an_empty_table_and_facts() -> None:
    view, out = plain()
    view.table("nothing", ["a"], [])
    view.facts({"rows": 12345, "rate": 0.000123, "on": True, "name": "가[나]", "none": None})
    assert [line.split() for line in out.getvalue().splitlines()[-5:]] == [
        ["rows", "12,345"],
        ["rate", "0.000123"],
        ["on", "True"],
        ["name", "가[나]"],
        ["none", "None"],
    ]


@pytest.mark.parametrize("codec", ["ascii", "cp949", "utf-8"])
def test_no_console_is_too_poor(codec: str) -> None:
    raw = io.BytesIO()
    view = View(Console(file=io.TextIOWrapper(raw, encoding=codec, errors="replace"), soft_wrap=True, width=80))
    work(view)
    view.table("표", ["열"], [["값"]])
    view.console.file.flush()
    assert b"train" in raw.getvalue()


def test_facts_beside_a_bar_have_korean_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    view, console = terminal()
    work(view)
    shown = console.export_text()
    assert "손실 2.123" in shown
    assert "메모리 1.2 GB" in shown
