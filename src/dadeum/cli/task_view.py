"""Scores on tasks, on the screen."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dadeum.core.language import say

if TYPE_CHECKING:
    from dadeum.cli.view import View


def show_tasks(view: "View", folder: Path, files: Sequence[Path]) -> None:
    """A row a task and metric, and where the files are."""
    from dadeum.core.artifact import read_json
    from dadeum.evaluate.metrics import arrow
    from dadeum.run.task_scores import rows

    shown = []
    for row in rows(files):
        error, span = row.get("standard_error"), row["interval"]
        shown.append(
            [
                row["task"],
                f"{row['name']} {arrow(row['higher_is_better'])}",
                f"{row['value']:.4g}",
                "" if error is None else f"±{error:.2g}",
                "" if span is None else f"[{span[0]:.4g}, {span[1]:.4g}]",
                str(row["n"]),
            ]
        )
    columns = [
        say("task", "과제"),
        say("metric", "지표"),
        say("value", "값"),
        say("st. error", "표준 오차"),
        say("95 % interval", "95 % 구간"),
        "n",
    ]
    view.table(str(read_json(files[0])["model"]), columns, shown)
    view.note(say(f"written: {folder}", f"저장: {folder}"))
