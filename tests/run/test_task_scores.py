"""`dadeum eval --task` below the command line: any model, any tasks, no run."""

from pathlib import Path

import pytest

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.progress import Silent
from dadeum.run.task_scores import Wanted, rows, score_model
from tests.run.lab import NAME, inside


class Board(Silent):
    def mark(self, name: str, state: str, text: str = "") -> None:
        """Nothing is drawn."""


def test_choices_hold_for_all_tasks() -> None:
    wanted = Wanted(("korquad", "lm-eval:x"), limit=3, shots=1, chat_template=True, include_path="own")
    ours, theirs = wanted.settings(EvaluateSettings()).tasks
    assert (ours.task, ours.limit, ours.shots, ours.chat_template) == ("korquad", 3, 1, None)  # type: ignore[union-attr]
    assert theirs.chat_template is True  # type: ignore[union-attr]
    assert wanted.settings(EvaluateSettings()).task_path == "own"


def test_a_run_by_its_experiment_and_where_the_scores_lie(ran: Path) -> None:
    with inside(ran):
        folder, files = score_model(NAME, Wanted(("general-text",), limit=6), out=None, board=Board())
    assert folder.parent == ran / "experiments/evaluations" and [f.name for f in files] == ["general-text.json"]
    found = {row["name"]: row for row in rows(files)}
    assert set(found) == {"bits_per_byte", "perplexity"} and found["bits_per_byte"]["n"] == 6
    for row in found.values():
        low, high = row["interval"]
        assert low < row["value"] < high and 0 < row["standard_error"] < high - low


def test_a_file_where_the_folder_should_be(ran: Path) -> None:
    from dadeum.core.errors import ConfigError

    with inside(ran), pytest.raises(ConfigError, match="is a file, expected a folder"):
        score_model(NAME, Wanted(("general-text",)), out=Path("rows.csv"), board=Board())
