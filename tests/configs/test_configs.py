"""Every experiment of `configs/`: read, described, and planned in a workspace that holds its files."""

import shutil
from pathlib import Path

import pytest

from dadeum.config.load import load
from dadeum.core.hub import is_local
from dadeum.core.workspace import Workspace
from dadeum.data.prompt import load_prompt
from tests.architecture.tree import ROOT
from tests.data.small import make_tokenizer
from tests.hub_server import refused_url
from tests.run.lab import fine

CONFIGS = ROOT / "configs"
NAMES = sorted(f.stem for f in CONFIGS.glob("*.yaml"))
SYSTEMS = {"smollm2-ko", "llama32-instruct-lora", "finqa-reasoning", "koalpaca-instruct", "korquad-mrc", "civil-law-qa"}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Only the experiments; no Hub, an empty cache."""
    for name in ("MODEL_ID", "DATASET", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    shutil.copytree(CONFIGS, tmp_path / "lab/configs")
    return tmp_path / "lab"


def test_each_system_has_its_experiments() -> None:
    assert set(NAMES) >= SYSTEMS


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_for(name: str) -> None:
    first, second = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[:2]
    assert first == "# yaml-language-server: $schema=schema.json"
    assert second.startswith("# ") and len(second) > 30


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_and_planned(name: str, workspace: Path) -> None:
    experiment = load(workspace / f"configs/{name}.yaml", root=workspace).experiment
    assert experiment.name == name
    load_prompt(experiment.data.prompt, Workspace(workspace))
    for source in experiment.data.sources:
        path = getattr(source, "path", None)
        if path is not None and getattr(source, "fallback", None) is None:
            (workspace / path).parent.mkdir(parents=True, exist_ok=True)
            (workspace / path).write_text("x", encoding="utf-8")
    tokenizer = experiment.tokenizer.name_or_path
    if tokenizer is not None and is_local(tokenizer):
        make_tokenizer(workspace / tokenizer)
    said = fine(workspace, "plan", name, "--no-data")
    assert "train" in said.out and "compare" in said.out
