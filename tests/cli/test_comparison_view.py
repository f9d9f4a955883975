"""A comparison on a screen of 80 columns: what stands in the file, in both languages."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dadeum.cli.comparison_view import show_rows, show_tables
from dadeum.cli.view import View
from tests.evaluate.test_comparison_page import found, metric


def shown(told: dict[str, Any], folder: Path = Path(), width: int = 80) -> str:
    out = io.StringIO()
    view = View(Console(file=out, width=width, highlight=False))
    show_tables(view, told)
    show_rows(view, told, folder)
    return out.getvalue()


def test_every_number_fits_into_80_columns() -> None:
    said = shown(found())
    for text in ("+0.2", "[+0.1, +0.3]", "0.042", "5/3/2", "better", "0.25", "민법", "+0.125", "±0.07 over 2 seeds"):
        assert text in said, text
    assert all(len(line) <= 80 for line in said.splitlines())
    assert "largest gains · rougeL" in said and "largest losses" not in said
    assert "base (0.25)" in said and "하나" in said


def test_what_is_not_there_leaves_no_column() -> None:
    bare = found(metrics=[metric("m", None, 0.1, 0.3, floors={})], categories=None, changes=None, seeds=None)
    for held in bare["metrics"][0]["differences"].values():
        held.update(p=None, wins=None)
    said = shown(bare)
    assert "w/t/l" not in said and "random pairs" not in said and "differs" in said


def test_in_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    said = shown(found())
    for text in ("base에 견준 tuned", "승/무/패", "나음", "무작위 짝: ", "가장 오른 행", "분류"):
        assert text in said, text
