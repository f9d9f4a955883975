"""The report as people see it: findings first, nothing broken, on any terminal, in both languages."""

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from dadeum.cli.check_view import CheckView
from dadeum.data.findings import Report
from tests.data.checks import check, small_measure
from tests.data.small import csv

HOW = "with --tokenizer"


class Ascii(io.StringIO):
    """A terminal that knows letters of ASCII only."""

    encoding = "ascii"


def shown(found: Report, width: int = 80, *, terminal: bool = True, file: io.StringIO | None = None) -> str:
    out = file or io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, color_system=None, highlight=False)
    CheckView(console).show("rows.csv", found, HOW)
    return out.getvalue()


@pytest.fixture
def broken(tmp_path: Path) -> Report:
    text = csv(60) + "질문 1번?,다른 답\n질문 2번?,답 2입니다\n없음,\n[red]?,[bold]둘\n" + f"길다,{'긴 답 ' * 60}\n"
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    return check(tmp_path, "rows.csv", measure=small_measure(tmp_path / "t"), max_length=128)


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(
    broken: Report, width: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DADEUM_LANG", language)
    for line in shown(broken, width).splitlines():
        assert cell_len(line) <= max(width, 80), line


def test_what_is_wrong_comes_first(broken: Report) -> None:
    said = shown(broken)
    places = [
        said.index(text)
        for text in ("✗ cannot be trained as it is: 2 things", "stops", "warning", "Rows", "Columns", "Tokens")
    ]
    assert places == sorted(places)
    assert "rows.csv:64" in said and "data.faulty_rows=drop" in said.replace("\n", "")


def test_figures(broken: Report) -> None:
    said = shown(broken, 120)
    assert "read 65 · usable 64 · faulty 1" in said and "question_answer  (train.objective=sft)" in said
    assert "▸ 128" in said and "4,096" in said and "█" in said
    assert "a Korean letter" in said and "packed" in said


def test_on_a_pipe_lines_stay_whole(broken: Report) -> None:
    lines = shown(broken, terminal=False).splitlines()
    assert any(line.startswith("stops: 1 of 65 rows cannot be used (no answer); correct them, or") for line in lines)
    assert any(line.startswith("warning: 1 row says what another row says") for line in lines)


def test_ascii(broken: Report) -> None:
    said = shown(broken, file=Ascii())
    assert "x cannot be trained" in said and "> 128" in said and "####" in said
    assert {c for c in said if not c.isascii()} <= set("질문번답입니다른없음길긴둘개")  # what the rows hold


def test_markup_in_rows_is_text(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("question,answer\n[red]a[/red],[/]\n\x1b[31mb,c\n", encoding="utf-8")
    said = shown(check(tmp_path, "rows.csv"), 120)
    assert "[red]a[/red]" in said and "[/]" in said and "\x1b[31mb" not in said


def test_without_a_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(csv(30), encoding="utf-8")
    said = shown(check(tmp_path, "rows.csv"))
    assert "✓ can be trained as it is" in said and HOW in said and "characters a row" in said


def test_many_files_and_classes(tmp_path: Path) -> None:
    for number in range(14):
        (tmp_path / f"{number:02}.csv").write_text(
            "question,answer,category\nq,a,민법\n" + "r,b,민법\n" * 9, encoding="utf-8"
        )
    said = shown(check(tmp_path, {"type": "csv", "path": "*.csv"}), 120)
    assert "00.csv" in said and "13.csv" not in said and "… 2 more" in said
    assert "class      0  민법 (140)" in said


def test_nothing_was_read(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("", encoding="utf-8")
    said = shown(check(tmp_path, "rows.csv"))
    assert "is empty, expected rows" in " ".join(said.split()) and "Lengths" not in said
