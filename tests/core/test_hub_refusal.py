"""What the Hub's refusals say; that each of them comes, and in time, is in `test_hub.py` and `test_download.py`."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.core import hub
from dadeum.core.errors import HubError
from dadeum.core.hub_refusal import KNOWN, near_hub_name, sentence
from dadeum.core.workspace import Workspace
from dadeum.data.sources import hub as source
from tests.hub_server import Hub, serve

ROOT = Path(__file__).parents[2]
MODEL = {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": b"w"}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    held = Hub({"models/owner/model": MODEL, "datasets/owner/rows": {"a.csv": b"question,answer\n1,2\n"}})
    with serve(held):
        monkeypatch.setenv("HF_ENDPOINT", held.url)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.chdir(tmp_path)
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield held


def refused(name: str, revision: str = "main", kind: str = "model") -> str:
    with pytest.raises(HubError) as raised:
        hub.resolve("model" if kind == "model" else "dataset", name, revision)
    return str(raised.value)


@pytest.mark.parametrize(
    ("kind", "name", "meant"),
    [
        ("model", "HuggingFaceTB/SmolLM2-135", "HuggingFaceTB/SmolLM2-135M"),
        ("model", "HugingFaceTB/smollm2-135m", "HuggingFaceTB/SmolLM2-135M"),
        ("model", "SmolLM2-135M", "HuggingFaceTB/SmolLM2-135M"),
        ("model", "meta-llama/Llama-3.2-1B-Instuct", "meta-llama/Llama-3.2-1B-Instruct"),
        ("model", "mine/secret-modle", "mine/secret-model"),
        ("model", "my/own-rows", None),
        ("dataset", "my/own-rows", "my/own-row"),
        ("dataset", "songys/Chatbot_dat", "songys/Chatbot_data"),
        ("dataset", "HuggingFaceTB/SmolLM2-135", None),
        ("model", "someone/unknown", None),
        ("model", "x", None),
    ],
)
def test_names_that_are_nearly_right(kind: str, name: str, meant: str | None, served: Hub, tmp_path: Path) -> None:
    """Of our examples, and of what lies in the cache."""
    (tmp_path / "cache/models--mine--secret-model").mkdir(parents=True)
    (tmp_path / "cache/datasets--my--own-row").mkdir()
    assert near_hub_name("model" if kind == "model" else "dataset", name) == meant
    told = refused(name, kind=kind)
    assert f"no such {kind}" in told
    assert told.endswith(f"; did you mean '{meant}'?") if meant else "did you mean" not in told


def test_a_folder_that_is_near(served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoints/my-tuned").mkdir(parents=True)
    assert refused("checkpoints/my-tunde").endswith("; did you mean 'checkpoints/my-tuned'?")
    with pytest.raises(HubError, match=r"no such folder; did you mean './checkpoints/my-tuned'\?"):
        hub.fetch_model("./checkpoints/my-tund", weights=True)
    served.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert refused("HuggingFaceTB/SmolLM2-135").endswith("; did you mean 'HuggingFaceTB/SmolLM2-135M'?")
    assert refused("checkpoints/my-tunde").endswith("; did you mean 'checkpoints/my-tuned'?")
    assert served.requests == []


def test_branches_are_told(served: Hub, tmp_path: Path) -> None:
    served.branches = {"korean": "a" * 40, "v1.0": "b" * 40}
    told = refused("owner/model", "koraen")
    assert "owner/model: has no revision 'koraen'; expected a branch, tag or commit (main, korean, v1.0)" in told
    assert told.endswith("; did you mean 'korean'?")
    with pytest.raises(HubError, match=r"\(main, korean, v1\.0\); did you mean 'v1\.0'\?"):
        source.download(source.Settings(name="owner/rows", revision="v1.1"), Workspace(tmp_path))
    assert "did you mean" not in refused("owner/model", "f" * 40)


def test_the_names_of_the_examples_are_known() -> None:
    used = {
        name
        for file in (ROOT / "configs").glob("*.yaml")
        for name in re.findall(
            r"\b(?:name|name_or_path|teacher_model_name_or_path|fallback): *([\w.-]+/[\w.-]+)",
            file.read_text(encoding="utf-8"),
        )
        if not (ROOT / name).exists() and not name.startswith(("checkpoints/", "data/"))
    }
    assert used and used <= {name for names in KNOWN.values() for name in names}


def test_faults_of_ours_are_not_explained_away() -> None:
    assert sentence("model", "a/b", "main", ValueError("ours")) is None
