"""C15: a plain copy of the result, and never a user's file harmed."""

import json
import os
from pathlib import Path

import pytest

from dadeum.core.artifact import writing
from dadeum.core.errors import ArtifactError
from dadeum.export.output_dir import check_ours, copy_result


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    with writing(run / "final", kind="model", fingerprint="f", made_from={}) as folder:
        for name in ("adapter_config.json", "adapter_model.safetensors", "tokenizer.json"):
            (folder / name).write_text(name, encoding="utf-8")
    with writing(run / "merged", kind="merged", fingerprint="f", made_from={}) as folder:
        (folder / "model.safetensors").write_text("m", encoding="utf-8")
    (run / "evaluation").mkdir()
    (run / "evaluation/base_model_evaluation.json").write_text("{}", encoding="utf-8")
    (run / "training_stats.json").write_text("{}", encoding="utf-8")
    return run


def copy(run: Path, out: Path) -> Path:
    return copy_result(
        out,
        final=run / "final",
        merged=run / "merged",
        evaluation=run / "evaluation",
        stats=run / "training_stats.json",
    )


def test_what_other_tools_look_for(run: Path, tmp_path: Path) -> None:
    out = copy(run, tmp_path / "results")
    found = sorted(f.relative_to(out).as_posix() for f in out.rglob("*") if f.is_file())
    assert found == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "deployment_model/model.safetensors",
        "evaluation/base_model_evaluation.json",
        "manifest.json",
        "tokenizer.json",
        "training_stats.json",
    ]


def test_a_former_copy_is_replaced(run: Path, tmp_path: Path) -> None:
    out = copy(run, tmp_path / "results")
    (run / "final/tokenizer.json").write_text("new", encoding="utf-8")
    (run / "final/adapter_config.json").unlink()
    copy(run, out)
    assert (out / "tokenizer.json").read_text(encoding="utf-8") == "new"
    assert not (out / "adapter_config.json").exists()
    assert sorted(f.name for f in tmp_path.iterdir()) == ["results", "run"]


def test_an_empty_folder_is_taken(run: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (copy(run, tmp_path / "empty") / "tokenizer.json").is_file()


def test_a_folder_of_the_users_is_left_alone(run: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    (mine / "deep").mkdir(parents=True)
    (mine / "deep/논문.txt").write_text("years", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"holds 'deep/논문.txt', which dadeum did not write"):
        copy(run, mine)
    assert (mine / "deep/논문.txt").read_text(encoding="utf-8") == "years"


def test_a_former_copy_that_was_touched_is_the_users(run: Path, tmp_path: Path) -> None:
    out = copy(run, tmp_path / "results")
    (out / "notes.md").write_text("mine", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"holds 'notes.md'"):
        copy(run, out)
    (out / "notes.md").unlink()
    (out / "tokenizer.json").write_text("edited", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"holds 'tokenizer.json'"):
        copy(run, out)
    assert (out / "tokenizer.json").read_text(encoding="utf-8") == "edited"


def test_links_are_not_followed(run: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "keep").write_text("k", encoding="utf-8")
    (tmp_path / "link").symlink_to(home)
    with pytest.raises(ArtifactError, match="is a link"):
        copy(run, tmp_path / "link")
    out = copy(run, tmp_path / "results")
    (out / "tokenizer.json").unlink()
    (out / "tokenizer.json").symlink_to(home / "keep")
    with pytest.raises(ArtifactError, match=r"holds 'tokenizer.json'"):
        copy(run, out)
    (run / "final/secret").symlink_to(home / "keep")
    with pytest.raises(ArtifactError, match="links are not copied"):
        copy(run, tmp_path / "other")
    assert (home / "keep").read_text(encoding="utf-8") == "k"
    assert not (tmp_path / "other").exists()


def test_the_run_itself_is_no_place_for_its_copy(run: Path, tmp_path: Path) -> None:
    for out in (run / "final/copy", run / "evaluation"):
        with pytest.raises(ArtifactError):
            copy(run, out)
    with pytest.raises(ArtifactError, match="is a file"):
        copy(run, run / "training_stats.json")
    assert json.loads((run / "training_stats.json").read_text(encoding="utf-8")) == {}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(run: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(ArtifactError, match="cannot be written"):
        copy(run, closed / "results")


def test_another_kind_of_artifact_is_not_ours_to_replace(run: Path) -> None:
    with pytest.raises(ArtifactError, match="which dadeum did not write"):
        check_ours(run / "final", "merged")
    check_ours(run / "merged", "merged")
    check_ours(run / "absent", "merged")
