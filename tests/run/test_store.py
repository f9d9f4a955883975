"""The runs of a workspace: their records, what is published, and what users call a model."""

import os
from pathlib import Path

import pytest

from dadeum.core.artifact import read_json, writing
from dadeum.core.errors import ArtifactError, ConfigError, DadeumError, ModelError
from dadeum.core.workspace import Workspace
from dadeum.run.store import (
    HASHED,
    Run,
    experiment_names,
    find_model,
    finished,
    new_run,
    newest,
    open_run,
    publish,
    runs,
)
from tests.run.lab import NAME, YAML, runs_of


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def final(run: Run, **files: str) -> None:
    with writing(run.final, kind="model", fingerprint="f", made_from={}) as folder:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")


def test_a_run_is_two_folders_and_a_record(workspace: Workspace) -> None:
    run = new_run(workspace, "실험-1", "abcdef0123")
    assert run.evidence.parent == workspace.root / "experiments" / "실험-1" and run.name.endswith("-abcdef")
    assert run.checkpoints.is_dir() and run.final == run.checkpoints / "final"
    assert run.record()["status"] == "started" and run.record()["fingerprint"] == "abcdef0123"
    run.note(status="finished")
    assert run.record()["status"] == "finished" and run.record()["experiment"] == "실험-1"


def test_runs_of_one_second_have_names_of_their_own_and_an_order(workspace: Workspace) -> None:
    made = [new_run(workspace, "e", "abcdef") for _ in range(3)]
    assert len({run.name for run in made}) == 3
    assert runs(workspace, "e") == made
    assert newest(workspace, "e", "abcdef") == made[-1] and newest(workspace, "e", "other") is None


def test_a_folder_without_a_record_is_no_run(workspace: Workspace) -> None:
    (workspace.root / "experiments" / "e" / "notes").mkdir(parents=True)
    assert runs(workspace, "e") == [] and runs(workspace, "unknown") == []
    assert open_run(workspace, "e", "notes").record() == {}


def test_a_damaged_record_is_named(workspace: Workspace) -> None:
    run = new_run(workspace, "e", "f")
    (run.evidence / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"manifest\.json: cannot be read"):
        runs(workspace, "e")[0].record()


class TestStages:
    def _finish(self, workspace: Workspace) -> tuple[Run, Path]:
        run = new_run(workspace, "e", "f")
        run.evaluation.mkdir()
        file = run.evaluation / "scores.json"
        file.write_text("{}", encoding="utf-8")
        run.finish("eval base", "print", {"a": 1}, [run.evaluation], workspace.root)
        return run, file

    def test_done(self, workspace: Workspace) -> None:
        run, _ = self._finish(workspace)
        found = run.stage("eval base")
        assert found is not None and found["fingerprint"] == "print" and found["made_from"] == {"a": 1}
        assert list(run.record()["stages"]) == ["eval base"] and run.stage("train") is None

    def test_other_bytes_of_the_same_size(self, workspace: Workspace) -> None:
        run, file = self._finish(workspace)
        file.write_text("[]", encoding="utf-8")
        assert run.stage("eval base") is None

    def test_gone(self, workspace: Workspace) -> None:
        run, file = self._finish(workspace)
        file.unlink()
        assert run.stage("eval base") is None

    def test_large_files_by_their_size(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dadeum.run.store.HASHED", 1)
        assert HASHED > 1
        run, file = self._finish(workspace)
        file.write_text("[]", encoding="utf-8")
        assert run.stage("eval base") is not None
        file.write_text("[ ]", encoding="utf-8")
        assert run.stage("eval base") is None

    def test_files_outside_the_workspace(self, workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
        """`output_dir:` may lie anywhere."""
        run, _ = self._finish(workspace)
        far = tmp_path_factory.mktemp("elsewhere") / "manifest.json"
        far.write_text("{}", encoding="utf-8")
        run.finish("export", "print", {}, [far], workspace.root)
        assert run.stage("export") is not None
        far.write_text("{ }", encoding="utf-8")
        assert run.stage("export") is not None, "a manifest is held by being there"
        far.unlink()
        assert run.stage("export") is None


class TestPublish:
    def test_the_newest_final_stands_above_its_runs(self, workspace: Workspace) -> None:
        run = new_run(workspace, "e", "f")
        final(run, **{"adapter_model.safetensors": "one", "adapter_config.json": "{}"})
        publish(run)
        above = workspace.checkpoints("e")
        assert (above / "adapter_model.safetensors").samefile(run.final / "adapter_model.safetensors")
        assert not (above / "manifest.json").exists()
        second = new_run(workspace, "e", "g")
        final(second, **{"model.safetensors": "two"})
        (above / "mine.txt").write_text("a note of the user's", encoding="utf-8")
        publish(second)
        there = {f.name for f in above.iterdir() if f.is_file()}
        assert there == {"model.safetensors", "mine.txt", ".published.json"}
        assert (run.final / "adapter_model.safetensors").read_text(encoding="utf-8") == "one"

    def test_copies_where_there_are_no_links(self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise OSError("no links here")

        monkeypatch.setattr(os, "link", refuse)
        run = new_run(workspace, "e", "f")
        final(run, **{"model.safetensors": "one"})
        publish(run)
        above = workspace.checkpoints("e") / "model.safetensors"
        assert above.read_text(encoding="utf-8") == "one" and not above.samefile(run.final / above.name)
        assert not list(above.parent.glob(".*.new"))


class TestFindModel:
    def test_nothing_means_the_run_that_was_finished_last(self, workspace: Workspace) -> None:
        with pytest.raises(ArtifactError, match="no finished run in this workspace"):
            find_model(workspace, None)
        made = [new_run(workspace, name, "f") for name in ("b", "a", "c")]
        for run in made[:2]:
            final(run, x="y")
        manifest = made[1].final / "manifest.json"
        manifest.write_text(
            manifest.read_text(encoding="utf-8").replace('"created": "2', '"created": "1'), encoding="utf-8"
        )
        assert [run.experiment for run in finished(workspace)] == ["a", "b"]
        assert find_model(workspace, None) == ("b", made[0].final)

    def test_every_way_to_say_it(self, done: Path) -> None:
        workspace, run = Workspace(done), runs_of(done)[0]
        for text in (NAME, f"configs/{NAME}.yaml", str(done / "configs" / f"{NAME}.yaml")):
            assert find_model(workspace, text) == (NAME, run.final)
        assert find_model(workspace, run.name) == (run.name, run.final)
        assert find_model(workspace, f"checkpoints/{NAME}") == (NAME, done / "checkpoints" / NAME)
        assert find_model(workspace, str(run.checkpoints / "merged"))[1] == run.checkpoints / "merged"
        assert find_model(workspace, f"./checkpoints/{NAME}/{run.name}/final")[1].samefile(run.final)

    def test_the_name_of_the_file_does_as_well(self, ran: Path) -> None:
        """`dadeum run short` takes the file's name; so does `ask -m short`. An `extends:` may hold the name."""
        (ran / "configs" / "short.yaml").write_text(YAML, encoding="utf-8")
        (ran / "configs" / "child.yaml").write_text("extends: short.yaml\n", encoding="utf-8")
        for text in ("short", "child", "configs/child.yaml"):
            assert find_model(Workspace(ran), text) == (NAME, runs_of(ran)[0].final)

    def test_files_and_folders_of_other_names_are_in_nobodys_way(self, ran: Path) -> None:
        """`configs/my notes.yaml` and `experiments/my notes/` are no experiment; they hide none either."""
        (ran / "configs" / "a note!.yaml").write_text("just: notes\n", encoding="utf-8")
        (ran / "experiments" / "a note!" / "x").mkdir(parents=True)
        run = runs_of(ran)[0]
        assert find_model(Workspace(ran), None) == (NAME, run.final)
        assert find_model(Workspace(ran), run.name) == (run.name, run.final)
        with pytest.raises(ConfigError):
            find_model(Workspace(ran), "a note!")

    @pytest.mark.parametrize(
        ("text", "kind", "words"),
        [
            ("tinny", ModelError, "no experiment, run or folder of that name; did you mean 'tiny'?"),
            ("zzzzzz", ModelError, "zzzzzz: no experiment, run or folder of that name"),
            ("./nowhere", ModelError, "./nowhere: no such folder"),
            ("a/b/c", ModelError, "a/b/c: no such folder"),
            ("nowhere.yaml", ConfigError, "nowhere.yaml: no such file"),
        ],
    )
    def test_unknown(self, done: Path, text: str, kind: type[DadeumError], words: str) -> None:
        with pytest.raises(kind, match=f".*{words.replace('?', '.')}"):
            find_model(Workspace(done), text)

    def test_nearly_right(self, done: Path) -> None:
        """A run of which a letter is missing, a model of the Hub without its owner, a folder."""
        (run,) = runs_of(done)
        for text, meant in (
            (run.name[:-1], run.name),
            ("smollm2-135m", "HuggingFaceTB/SmolLM2-135M"),
            ("./chekpoints", "checkpoints"),
        ):
            with pytest.raises(ModelError, match=rf"did you mean '(\./)?{meant}'\?"):
                find_model(Workspace(done), text)

    def test_not_finished(self, written: Path) -> None:
        workspace = Workspace(written)
        with pytest.raises(ArtifactError, match="tiny: no finished run yet; run `dadeum run tiny` first"):
            find_model(workspace, NAME)
        run = new_run(workspace, NAME, "f")
        with pytest.raises(ArtifactError, match="no finished weights yet; go on with `dadeum run tiny`"):
            find_model(workspace, run.name)
        assert experiment_names(workspace) == [NAME]


def test_the_published_list_is_json(done: Path) -> None:
    listed = read_json(done / "checkpoints" / NAME / ".published.json")
    assert listed["run"] == runs_of(done)[0].name and "adapter_model.safetensors" in listed["files"]
