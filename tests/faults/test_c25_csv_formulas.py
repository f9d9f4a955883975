"""C25 (CSV half; pages: `tests/report/test_html.py`, `tests/explain/test_page.py`, `test_comparison_page.py`): a cell of a model's text runs as a formula in a spreadsheet."""

import csv
import re
from pathlib import Path

import dadeum
from dadeum.generate.questions import write_answers


def test_cells_are_text(tmp_path: Path) -> None:
    evil = ["=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "  =1"]
    write_answers(tmp_path / "a.csv", "m", [{"question": cell, "answer": cell} for cell in evil])
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["answer"] for row in rows] == ["'" + cell for cell in evil]


def test_one_place_writes_csv() -> None:
    """So that no table has cells of its own: comparisons, lessons, labels and special tokens all come from there."""
    source = Path(dadeum.__file__).parent
    written = re.compile(r"csv\.writer\(|DictWriter\(|\.to_csv\(|savetxt\(")
    found = [
        path.relative_to(source).as_posix() for path in source.rglob("*.py") if written.search(path.read_text("utf-8"))
    ]
    assert found == ["generate/questions.py"]
