"""The quickstart's folder holds what the assets hold, and nothing of the user's is touched."""

from pathlib import Path

import pytest

from dadeum.config.load import load
from dadeum.core.errors import ArtifactError
from dadeum.core.workspace import Workspace
from dadeum.run.quickstart import EXPERIMENT, MODEL, lay_out
from dadeum.run.stages import Lab, make_plan


def test_the_folder_is_a_workspace_whose_experiment_can_be_planned(tmp_path: Path) -> None:
    folder = tmp_path / "새 폴더"
    written = lay_out(folder)
    assert folder / EXPERIMENT in written
    assert (folder / "checkpoints" / MODEL / "model.safetensors").stat().st_size <= 16_000_000
    plan = make_plan(Lab(load(folder / EXPERIMENT, root=folder), Workspace(folder)))
    assert plan.step("download").fresh
    assert not plan.step("train").fresh
    assert lay_out(folder) == []


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    mine = {"notes.txt": "mine", "data/raw/other.csv": "a,b\n", "configs/own.yaml": "name: own\n"}
    for name, text in mine.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    lay_out(tmp_path)
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in mine} == mine


def test_a_file_in_the_way_is_told_before_anything_is_written(tmp_path: Path) -> None:
    theirs = tmp_path / "data" / "raw" / "civil_law_qa.csv"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("question,answer\n", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ArtifactError, match=r"civil_law_qa\.csv: is there already"):
        lay_out(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(ArtifactError, match="is a file"):
        lay_out(theirs)
