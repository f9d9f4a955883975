"""From a name to an engine: the base of an adapter, wherever the workspace went."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import DadeumError, ModelError
from dadeum.core.workspace import Workspace
from dadeum.run.models import base_of, open_engine, open_tokenizer
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


def test_a_tokenizer_and_what_its_model_declares(material: Path, done: Path, tmp_path: Path) -> None:
    """Rows and stops from the files as they stand: generation_config.json first, else config.json, else nothing."""
    workspace = Workspace(done)

    def declared(folder: Path) -> tuple[int | None, tuple[int, ...] | None, str]:
        found = open_tokenizer(workspace, folder)[2]
        return found.vocab_size, found.stop_ids, found.stop_file

    bases = material / "tokenizers"
    assert declared(bases / "qwen2.5-0.5b-instruct") == (151936, (151645, 151643), "generation_config.json")
    assert declared(bases / "bora-ko-32k") == (32128, (2,), "config.json")
    assert declared(bases / "gpt2") == (None, None, "")
    place = tmp_path / "nested"
    place.mkdir()
    (place / "tokenizer.json").write_bytes((bases / "gpt2/tokenizer.json").read_bytes())
    (place / "config.json").write_text('{"text_config": {"vocab_size": 7}, "eos_token_id": null}', encoding="utf-8")
    assert declared(place) == (7, (), "config.json")


def test_the_tokenizer_of_a_run_and_of_an_adapter_without_one(done: Path, tmp_path: Path) -> None:
    run, workspace = runs_of(done)[0], Workspace(done)
    tokenizer, contract, declared = open_tokenizer(workspace, run.final)
    assert declared.stop_ids == contract.stop_ids and declared.vocab_size == len(tokenizer)
    bare = tmp_path / "bare"
    bare.mkdir()
    named = {"base_model_name_or_path": str(base_of(run.final, workspace))}
    (bare / "adapter_config.json").write_text(json.dumps(named), encoding="utf-8")
    assert open_tokenizer(workspace, bare)[0].get_vocab() == tokenizer.get_vocab()
    (bare / "adapter_config.json").write_text('{"base_model_name_or_path": "/gone/base"}', encoding="utf-8")
    with pytest.raises(DadeumError, match="/gone/base: no such folder"):
        open_tokenizer(workspace, bare)
    other = open_tokenizer(workspace, run.final, chat_template="plain")
    assert "### 질문" in other[0].chat_template and other[1].template_name == "plain"
