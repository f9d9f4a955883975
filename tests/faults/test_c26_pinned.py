"""C26: a run names the commit and the SHA-256 of what it was made of, and is made of the same again elsewhere."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from dadeum.cli.commands import doctor
from dadeum.core.artifact import read_json, read_manifest
from dadeum.core.fingerprint import sha256_file
from tests.hub_server import COMMIT, Hub, serve
from tests.run.lab import BASE, DATA, FROM_HUB, NAME, FromHub, cli, copy, fine, make_workspace, plan_of, runs_of

ROOT = Path(__file__).parents[2]
NEED = [
    Requirement(text) for text in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
]
MOVED = "f" * 40


def test_the_record_names_commit_and_hashes(from_hub: FromHub) -> None:
    (run,) = runs_of(from_hub.root)
    materials = run.record()["materials"]
    snapshot = from_hub.cache / "models--someone--base/snapshots" / COMMIT
    assert materials["model"]["name"] == BASE and materials["model"]["commit"] == COMMIT
    hashes = materials["model"]["files"]
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= set(hashes)
    assert all(digest == sha256_file(snapshot / name) for name, digest in hashes.items())
    assert materials["data"] == {f"hub:{DATA}@{COMMIT}": COMMIT}
    files = read_manifest(from_hub.root / "data/raw/someone--rows" / COMMIT)
    assert files is not None and files.files["rows.csv"] == sha256_file(from_hub.root / "rows.csv")
    assert read_json(run.final / "adapter_config.json")["revision"] == COMMIT


def test_local_files_are_named_by_their_hash(done: Path) -> None:
    materials = runs_of(done)[-1].record()["materials"]
    assert materials["data"] == {"rows.csv": sha256_file(done / "rows.csv")}
    assert materials["tokenizer"]["commit"] is None and "tokenizer.json" in materials["tokenizer"]["files"]


@pytest.fixture
def moved(from_hub: FromHub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The Hub, after `main` of both repositories went on."""
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    old = {f"{repository}@{COMMIT}": files for repository, files in from_hub.files.items()}
    new = {key: {name: data + b" " for name, data in files.items()} for key, files in from_hub.files.items()}
    return Hub(new, commits=dict.fromkeys(new, MOVED), older=old)


def test_the_configuration_of_a_run_gives_the_same_bytes_elsewhere(
    from_hub: FromHub, moved: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = runs_of(from_hub.root)
    elsewhere = make_workspace(tmp_path / "lab")
    (elsewhere / f"configs/{NAME}.yaml").write_bytes((run.evidence / "config.yaml").read_bytes())
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    with serve(moved):
        monkeypatch.setenv("HF_ENDPOINT", moved.url)
        fine(elsewhere, "data", "download", NAME)
        monkeypatch.setenv("HF_HUB_CACHE", str(from_hub.cache))
        here = plan_of(from_hub.root, *FROM_HUB).step("train").fingerprint
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        assert plan_of(elsewhere).step("train").fingerprint == here == run.record()["fingerprint"]
        # What says `main` gets what is there now.
        late = make_workspace(tmp_path / "late")
        fine(late, "data", "download", NAME, *FROM_HUB)
        assert plan_of(late, *FROM_HUB).step("train").fingerprint != here


def test_the_base_of_an_adapter_stays_though_main_went_on(
    from_hub: FromHub, moved: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the cache was cleared, the tuned model gets the base that it was tuned on, and asks once for it."""
    root = copy(from_hub.root, tmp_path / "lab")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    with serve(moved):
        monkeypatch.setenv("HF_ENDPOINT", moved.url)
        assert fine(root, "ask", "3번 질문은?", "--max-new-tokens", "2").out
        weights = tmp_path / "cache/models--someone--base/snapshots" / COMMIT / "model.safetensors"
        assert weights.read_bytes() == from_hub.files[f"models/{BASE}"]["model.safetensors"]
        moved.requests.clear()
        assert fine(root, "ask", "3번 질문은?", "--max-new-tokens", "2").out and moved.requests == []


@pytest.mark.parametrize("need", NEED, ids=lambda need: need.name)
def test_what_is_installed_is_within_its_bounds(need: Requirement) -> None:
    assert need.specifier.contains(importlib.metadata.version(need.name), prereleases=True)


@pytest.mark.parametrize(
    ("name", "holes"),
    [
        ("torch", ["2.5.1", "2.9.1"]),  # CVE-2025-32434, CVE-2026-24747
        ("transformers", ["4.57.1", "5.2.0"]),  # CVE-2026-1839, CVE-2026-4372, CVE-2026-5241
        ("jinja2", ["3.1.5"]),  # CVE-2025-27516
    ],
)
def test_versions_with_known_holes_are_refused(
    name: str, holes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By pip, and by `dadeum doctor` where pip was gone round."""
    (need,) = [need for need in NEED if need.name == name]
    assert not any(need.specifier.contains(version) for version in holes)
    installed = importlib.metadata.version
    monkeypatch.setattr(
        doctor.importlib.metadata, "version", lambda asked: holes[-1] if asked == name else installed(asked)
    )
    said = cli(tmp_path, "doctor")
    assert said.code == 1 and f"✗ {name}" in said.out and f'pip install "{name}' in said.out
