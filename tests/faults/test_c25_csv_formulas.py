"""C25 (CSV half; pages: test_comparison_page.py): a cell of a model's text runs as a formula in a spreadsheet."""

import csv
from pathlib import Path

from dadeum.generate.questions import write_answers


def test_cells_are_text(tmp_path: Path) -> None:
    evil = ["=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "  =1"]
    write_answers(tmp_path / "a.csv", "m", [{"question": cell, "answer": cell} for cell in evil])
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["answer"] for row in rows] == ["'" + cell for cell in evil]
