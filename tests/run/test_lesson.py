"""dadeum.run.lesson: the lessons' experiment and files; nothing of the user's is written over."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.config.load import load
from dadeum.core.errors import ConfigError
from dadeum.core.workspace import Workspace
from dadeum.run.lesson import FILE, MARK, RESULT, done_before, experiment, keep, lay_lesson, note_done, place_of
from dadeum.run.stages import Lab, make_plan


def test_without_flags_it_is_on_what_is_embedded(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    path = lay_lesson(workspace, {})
    assert path == tmp_path / FILE and path.read_text(encoding="utf-8").startswith(MARK)
    lab = Lab(load(path, root=tmp_path), workspace)
    assert lab.experiment.output_dir == RESULT and lab.experiment.adapter.type == "lora"
    assert make_plan(lab).step("download").fresh  # model and data are here
    assert sorted(f.name for f in tmp_path.iterdir()) == ["checkpoints", "configs", "data"]
    assert not (tmp_path / "configs" / "quickstart.yaml").exists()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"adapter": {"type": "lora", "r": 2}}, {"adapter.r": 2, "train.total_train_batch_size": 16}),
        (
            {"model": {"name_or_path": "somewhere"}},
            {"model.name_or_path": "somewhere", "train.learning_rate": 2e-5, "train.total_train_batch_size": 1},
        ),
        (
            {"data": {"sources": [{"type": "csv", "path": "mine.csv"}]}, "name": "mine", "output_dir": "out"},
            {
                "data.sources": [{"type": "csv", "path": "mine.csv"}],
                "data.split.test": 0.1,
                "name": "lesson",
                "output_dir": "out",
            },
        ),
        (
            {"model": {"name_or_path": "x"}, "train": {"learning_rate": 0.1}},
            {"train.learning_rate": 0.1, "train.num_train_epochs": 1},
        ),
    ],
)
def test_flags_lie_over_it(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    tree = experiment(given)
    for key, value in wanted.items():
        found: Any = tree
        for part in key.split("."):
            found = found[part]
        assert found == value, key


def test_what_was_changed_stays_until_flags_say_another(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    path = lay_lesson(workspace, {})
    changed = path.read_text(encoding="utf-8").replace("max_length: 512", "max_length: 256")
    path.write_text(changed, encoding="utf-8")
    lay_lesson(workspace, {})
    assert path.read_text(encoding="utf-8") == changed
    lay_lesson(workspace, {"train": {"learning_rate": 0.5}})
    text = path.read_text(encoding="utf-8")
    assert "learning_rate: 0.5" in text and "max_length: 512" in text


def test_an_experiment_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / FILE).write_text("name: mine\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not the lessons'"):
        lay_lesson(Workspace(tmp_path), {"train": {"learning_rate": 0.5}})
    assert (tmp_path / FILE).read_text(encoding="utf-8") == "name: mine\n" and not (tmp_path / "data").exists()


def test_a_file_of_the_user_is_never_written_over(tmp_path: Path) -> None:
    workspace, source = Workspace(tmp_path), tmp_path / "made"
    source.write_text("1", encoding="utf-8")
    mine = tmp_path / "processed_conversations.json"
    mine.write_text("mine", encoding="utf-8")
    assert keep(workspace, mine.name, source) == tmp_path / "results" / mine.name
    assert mine.read_text(encoding="utf-8") == "mine"
    assert keep(workspace, "table.csv", source) == tmp_path / "table.csv"
    source.write_text("2", encoding="utf-8")
    assert keep(workspace, "table.csv", source) == tmp_path / "table.csv"  # it is ours, as we left it
    assert (tmp_path / "table.csv").read_text(encoding="utf-8") == "2"
    (tmp_path / "table.csv").write_text("with my notes", encoding="utf-8")
    assert place_of(workspace, "table.csv") == tmp_path / "results" / "table.csv"


def test_which_lessons_are_done(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert done_before(workspace) == {}
    note_done(workspace, "compare")
    note_done(workspace, "train")
    assert list(done_before(workspace)) == ["compare", "train"]
    (tmp_path / "experiments" / "lesson" / "lessons.json").write_bytes(b"[")
    assert done_before(workspace) == {}
