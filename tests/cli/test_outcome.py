"""What stands on the screen at the end is what stands in the files."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from dadeum.cli.outcome import show_comparison
from dadeum.cli.view import View
from dadeum.core.artifact import write_json
from tests.run.lab import runs_of


def _shown(folder: Path) -> str:
    out = io.StringIO()
    show_comparison(View(Console(file=out, width=200, highlight=False)), folder)
    return out.getvalue()


def test_numbers_are_those_of_the_file(done: Path) -> None:
    evaluation = runs_of(done)[0].evaluation
    found = json.loads((evaluation / "comparison.json").read_text(encoding="utf-8"))
    said = _shown(evaluation)
    for metric in found["metrics"]:
        for value in metric["values"].values():
            assert f"{value:.4g}" in said
    assert all(note in said for note in found["notes"])


def _metric(higher: bool, low: float, high: float) -> dict[str, Any]:
    difference = {"difference": (low + high) / 2, "low": low, "high": high}
    return {
        "name": "m",
        "higher_is_better": higher,
        "values": {"a": 1.0, "b": 2.0},
        "floors": {},
        "differences": {"b": difference},
    }


@pytest.mark.parametrize(
    ("higher", "low", "high", "word"),
    [
        (True, 0.1, 0.2, "better"),
        (True, -0.2, -0.1, "worse"),
        (False, 0.1, 0.2, "worse"),
        (False, -0.2, -0.1, "better"),
        (True, -0.1, 0.1, "unclear"),
        (False, 0.0, 0.1, "unclear"),
    ],
)
def test_better_is_said_only_where_the_interval_says_so(
    tmp_path: Path, higher: bool, low: float, high: float, word: str
) -> None:
    write_json(
        tmp_path / "comparison.json", {"models": ["a", "b"], "metrics": [_metric(higher, low, high)], "notes": []}
    )
    assert re.findall("better|worse|unclear", _shown(tmp_path)) == [word]


def test_a_difference_that_is_not_ranked(tmp_path: Path) -> None:
    metric = {**_metric(True, 1, 2), "differences": {}}
    write_json(tmp_path / "comparison.json", {"models": ["a", "b"], "metrics": [metric], "notes": ["so"]})
    said = _shown(tmp_path)
    assert "not ranked" in said and "so" in said
