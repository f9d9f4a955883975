"""Scores on tasks, on the screen."""

import io
from pathlib import Path

from rich.console import Console

from dadeum.cli.task_view import show_tasks
from dadeum.cli.view import View
from tests.evaluate.test_elsewhere import result


def test_a_row_a_score_without_what_there_is_not(tmp_path: Path) -> None:
    one = result([1.0, 0.0])
    one.metrics["acc"] |= {"interval": [0.0, 1.0], "standard_error": 0.5}
    one.metrics["f1"] = {**one.metrics["acc"], "interval": None, "standard_error": None, "value": 0.25}
    out = io.StringIO()
    show_tasks(View(Console(file=out, width=80)), tmp_path, [one.write(tmp_path / "law.json")])
    shown = [line.split() for line in out.getvalue().splitlines() if "law" in line]
    assert [[word for word in line if word != "│"] for line in shown[:2]] == [
        ["law", "acc", "↑", "0.5", "±0.5", "[0,", "1]", "2"],
        ["law", "f1", "↑", "0.25", "2"],
    ]
