"""EXPERIMENT: a file, or its name in `configs/`."""

from pathlib import Path

import pytest

from dadeum.cli.lab import experiment_file, open_lab
from dadeum.core.errors import ConfigError
from dadeum.core.workspace import Workspace
from tests.run.lab import NAME, inside


def test_a_file_or_its_name(written: Path) -> None:
    workspace = Workspace(written)
    file = written / "configs" / f"{NAME}.yaml"
    (written / "configs" / "other.yml").write_text("", encoding="utf-8")
    for text in (NAME, f"configs/{NAME}.yaml", str(file)):
        assert experiment_file(text, workspace) == file
    assert experiment_file("other", workspace).name == "other.yml"


def test_a_file_here_comes_before_a_name(written: Path) -> None:
    (written / NAME).write_text("", encoding="utf-8")
    assert experiment_file(NAME, Workspace(written)) == written / NAME


@pytest.mark.parametrize(
    ("text", "hint"), [("tinny", "did you mean 'tiny'?"), ("configs/tiny.yml", "did you mean 'configs/tiny.yaml'?")]
)
def test_unknown_ones_are_answered_with_what_there_is(written: Path, text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as told:
        experiment_file(text, Workspace(written))
    assert str(told.value) == f"{text}: no such experiment; {hint} (configs/ has: configs/tiny.yaml)"


def test_in_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        experiment_file("first", Workspace(tmp_path))
    assert str(told.value) == "first: no such experiment"


def test_overrides_and_flags(written: Path) -> None:
    with inside(written):
        lab = open_lab(NAME, ["train.seed=7"])
        alone = open_lab(
            None,
            [],
            base={"name": "x", "model": {"name_or_path": "m"}, "data": {"sources": [{"type": "csv", "path": "r"}]}},
        )
    assert lab.experiment.train.seed == 7 and lab.workspace.root == written
    assert alone.experiment.name == "x" and alone.loaded.files == ()
