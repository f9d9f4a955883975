"""From a name to an engine: the base of an adapter, wherever the workspace went."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import DadeumError, ModelError
from dadeum.core.workspace import Workspace
from dadeum.run.models import base_of, open_engine
from dadeum.run.store import find_model
from tests.run.lab import NAME, runs_of


def test_a_whole_model_has_no_base(done: Path) -> None:
    assert base_of(runs_of(done)[0].checkpoints / "merged", Workspace(done)) is None


def test_the_base_beside_the_runs(done: Path) -> None:
    run, workspace = runs_of(done)[0], Workspace(done)
    (base,) = (done / "checkpoints" / NAME).glob("base-*")
    for place in (run.final, run.checkpoints / "step-000004", done / "checkpoints" / NAME):
        assert base_of(place, workspace) == base


def test_a_moved_workspace_finds_its_base(done: Path, tmp_path: Path) -> None:
    moved = (tmp_path / "moved").absolute()
    from tests.run.lab import copy

    copy(done, moved)
    run = runs_of(moved)[0]
    config = run.final / "adapter_config.json"
    named = json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"]
    for file in (config, done.parent / "unused"):
        if file.is_file():
            text = file.read_text(encoding="utf-8").replace(named, f"/gone/{Path(named).name}")
            file.unlink()  # published by a hard link in the original
            file.write_text(text, encoding="utf-8")
    assert base_of(run.final, Workspace(moved)) == moved / "checkpoints" / NAME / Path(named).name


def test_a_base_that_is_gone_is_named(done: Path, tmp_path: Path) -> None:
    for named, kind, words in (
        ("/gone/base", DadeumError, "/gone/base: no such folder"),
        (None, ModelError, "names no base model"),
    ):
        (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": named}), encoding="utf-8")
        with pytest.raises(kind, match=words):
            base_of(tmp_path, Workspace(done))


def test_an_engine_of_adapter_and_merged_say_the_same(done: Path) -> None:
    workspace, run = Workspace(done), runs_of(done)[0]
    answers = []
    for text in (NAME, str(run.checkpoints / "merged"), f"checkpoints/{NAME}"):
        engine = open_engine(workspace, *find_model(workspace, text))
        replies = engine.replies([engine.contract.messages("3번 질문은 무엇인가요?")], max_new_tokens=6)
        answers.append((replies[0].text, replies[0].prompt_tokens))
    assert answers[0] == answers[1] == answers[2]
