"""What the stages are made from: every byte that matters, and where it lies."""

import os
from pathlib import Path

import pytest

from dadeum.core.artifact import read_json
from dadeum.core.errors import ModelError
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.run import inputs
from dadeum.run.inputs import base_made_from, model_hash, places, template_hash, tokenizer_hash
from dadeum.run.stages import make_plan
from tests.run.lab import lab_of


def _model(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "README.md").write_text("a card", encoding="utf-8")
    return folder


def test_a_model_is_its_configuration_and_weights(tmp_path: Path) -> None:
    folder, cache = _model(tmp_path / "m"), tmp_path / "cache.json"
    before = model_hash(folder, cache)
    (folder / "README.md").write_text("another card", encoding="utf-8")
    assert model_hash(folder, cache) == before and not cache.exists()
    (folder / "model.safetensors").write_bytes(b"Weights")
    assert model_hash(folder, cache) != before


def test_large_weights_are_hashed_once_and_no_clock_hides_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "LARGE", 1)
    folder, cache = _model(tmp_path / "m"), tmp_path / "cache.json"
    before = model_hash(folder, cache)
    assert len(read_json(cache)) == 2
    with monkeypatch.context() as patched:
        patched.setattr(inputs, "sha256_file", None)
        assert model_hash(folder, cache) == before, "found in the cache"
    weights = folder / "model.safetensors"
    stat = weights.stat()
    weights.write_bytes(b"Weights")
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert model_hash(folder, cache) != before


def test_no_model_and_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"empty: no config\.json"):
        model_hash(tmp_path / "empty", tmp_path / "cache.json")
    with pytest.raises(ModelError, match=r"empty: no tokenizer files, expected tokenizer\.json"):
        tokenizer_hash(tmp_path / "empty")


def test_a_tokenizer_is_its_files(written: Path) -> None:
    folder = written / "tokenizer"
    before = tokenizer_hash(folder)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert tokenizer_hash(folder) == before
    (folder / "added_tokens.json").write_text("{}", encoding="utf-8")
    assert tokenizer_hash(folder) != before


def test_a_template_is_a_name_or_a_file(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert template_hash(None, workspace) is None and template_hash("chatml", workspace) == "chatml"
    (tmp_path / "own.jinja").write_text("{{ messages }}", encoding="utf-8")
    assert len(template_hash("own.jinja", workspace) or "") == 64


def test_places_of_a_random_model(written: Path) -> None:
    lab = lab_of(written)
    found = places(lab.experiment, lab.workspace)
    assert found.model is None and found.tokenizer == written / "tokenizer"
    with pytest.raises(ModelError, match=r"tokenizer\.name_or_path: found nothing"):
        places(lab_of(written, "tokenizer.name_or_path=null").experiment, lab.workspace)


def test_places_start_at_the_workspace(written: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not at the folder that is current when they are asked for."""
    lab = lab_of(written)
    monkeypatch.chdir(tmp_path)
    assert places(lab.experiment, lab.workspace).tokenizer == written / "tokenizer"


def test_fresh_weights_are_made_from_configuration_and_seed(written: Path) -> None:
    lab = lab_of(written)
    made = base_made_from(lab.experiment, None, lab.workspace)
    assert made["model.init"] == "random" and made["train.seed"] == 42 and made["model.config"]["hidden_size"] == 32
    (written / "config.json").write_text("{}", encoding="utf-8")
    other = lab_of(written, "model={init: random, name_or_path: .}")
    assert len(base_made_from(other.experiment, written, lab.workspace)["model.config"]) == 64


def test_commits_stand_for_branches_where_they_are_known(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of model and tokenizer, each by its own revision; what is not there yet stays as it was said."""
    cache, asked = written / "models--a--b" / "snapshots", []
    cache.mkdir(parents=True)
    for commit in ("1" * 40, "2" * 40):
        _model(cache / commit)

    def cached(name: str, revision: str, *, weights: bool) -> Path | None:
        asked.append((name, revision, weights))
        return {"v1": cache / ("1" * 40), "v2": cache / ("2" * 40)}.get(revision)

    monkeypatch.setattr(inputs, "cached_model", cached)
    words = ("model={name_or_path: a/b, revision: v1}", "tokenizer={name_or_path: a/b, revision: v2}")
    lab = lab_of(written, *words)
    where = places(lab.experiment, lab.workspace)
    assert asked == [("a/b", "v1", True), ("a/b", "v2", False)]
    fixed = inputs.pinned(lab.experiment, where, lab.workspace)
    assert (fixed.model.revision, fixed.tokenizer.revision) == ("1" * 40, "2" * 40)
    assert fixed.data == lab.experiment.data and lab.experiment.model.revision == "v1"
    found = inputs.materials(lab.experiment, where, lab.workspace)
    assert found["model"]["commit"] == "1" * 40 and found["tokenizer"]["commit"] == "2" * 40
    assert set(found["model"]["files"]) == {"config.json", "model.safetensors"}
    waiting = lab_of(written, "model={name_or_path: a/b, revision: v9}")
    nowhere = places(waiting.experiment, waiting.workspace)
    assert inputs.pinned(waiting.experiment, nowhere, waiting.workspace).model.revision == "v9"
    assert "model" not in inputs.materials(waiting.experiment, nowhere, waiting.workspace)


def test_a_teacher_is_fetched_pinned_and_recorded(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the model is, with its weights, by its own revision; what a training is made from are its bytes."""
    place = written / "models--t--t" / "snapshots" / ("3" * 40)
    place.parent.mkdir(parents=True)
    _model(place)
    fetched = []

    def fetch(name: str, revision: str, *, weights: bool, tell: object) -> Path:
        fetched.append((name, revision, weights))
        return place

    monkeypatch.setattr(inputs, "cached_model", lambda *_, **__: None)
    monkeypatch.setattr(inputs, "fetch_model", fetch)
    objective = "{type: distillation, teacher_model_name_or_path: t/t, teacher_model_revision: v3}"
    lab = lab_of(written, f"train.objective={objective}")
    assert places(lab.experiment, lab.workspace).teacher is None
    plan = make_plan(lab)
    assert not plan.step("download").fresh and plan.step("train").made_from == {"download": "pending"}
    where = places(lab.experiment, lab.workspace, Silent())
    assert fetched == [("t/t", "v3", True)] and where.teacher == place
    fixed = inputs.pinned(lab.experiment, where, lab.workspace).train.objective
    assert fixed.model_dump()["teacher_model_revision"] == "3" * 40
    found = inputs.materials(lab.experiment, where, lab.workspace)["teacher"]
    assert (found["name"], found["commit"]) == ("t/t", "3" * 40)
    assert set(found["files"]) == {"config.json", "model.safetensors"}
    before = inputs.teacher_made_from(place, lab.workspace)
    (place / "model.safetensors").write_bytes(b"Weights")
    assert list(before) == ["teacher"] and inputs.teacher_made_from(place, lab.workspace) != before
    assert inputs.teacher_of(lab_of(written).experiment) is None and inputs.teacher_made_from(None, lab.workspace) == {}
