"""`dadeum init [DIR]`."""

import json
from pathlib import Path

import pytest

from tests.run.lab import cli, files_below, fine


def test_a_workspace_whose_experiment_is_valid(tmp_path: Path) -> None:
    said = fine(tmp_path, "init", "my lab").out
    root = tmp_path / "my lab"
    assert said.count("made") == 4 and "Next:" in said
    assert {f.name for f in root.iterdir() if f.is_dir()} >= {"configs", "data", "checkpoints", "experiments"}
    from dadeum.config.load import load

    found = load(root / "configs" / "first.yaml", root=root).experiment
    assert found.name == "first" and found.adapter.type == "lora"
    schema = json.loads((root / "configs" / "schema.json").read_text(encoding="utf-8"))
    assert (
        (root / "configs" / "first.yaml")
        .read_text(encoding="utf-8")
        .startswith("# yaml-language-server: $schema=schema.json")
    )
    assert schema["title"] == "dadeum experiment"
    assert "HF_TOKEN=" in (root / ".env.example").read_text(encoding="utf-8") and not (root / ".env").exists()


def test_twice_touches_nothing(tmp_path: Path) -> None:
    fine(tmp_path, "init")
    (tmp_path / "configs" / "first.yaml").write_text("mine", encoding="utf-8")
    before = {name: (text, (tmp_path / name).stat().st_mtime_ns) for name, text in files_below(tmp_path).items()}
    said = fine(tmp_path, "init").out
    assert said.count("kept") == 4 and "made" not in said
    assert before == {
        name: (text, (tmp_path / name).stat().st_mtime_ns) for name, text in files_below(tmp_path).items()
    }


def test_korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert "만듦" in fine(tmp_path, "init", "연구실").out
    assert "모델에 할 일" in (tmp_path / "연구실" / "configs" / "first.yaml").read_text(encoding="utf-8")


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "lab").write_text("mine", encoding="utf-8")
    said = cli(tmp_path, "init", "lab")
    assert said.code == 2 and said.errors == ["error: lab: is a file, expected a folder or a new name"]
    (tmp_path / "data").write_text("mine", encoding="utf-8")
    said = cli(tmp_path, "init")
    assert said.code == 2 and len(said.errors) == 1 and "Traceback" not in said.err
    assert (tmp_path / "data").read_text(encoding="utf-8") == "mine"
