"""The lessons' experiment in a workspace, on the embedded model and data or the user's, and the files that lessons end with."""

import shutil
import time
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dadeum.config.overlay import merge
from dadeum.config.yaml import Document
from dadeum.core.artifact import write_json, write_text
from dadeum.core.errors import ConfigError
from dadeum.core.fingerprint import sha256_file
from dadeum.core.language import say
from dadeum.core.workspace import Workspace
from dadeum.run.ledger import read_object_or_none
from dadeum.run.quickstart import MODEL, PLACES, lay_out

NAME = "lesson"
FILE = f"configs/{NAME}.yaml"
MARK = "# dadeum lesson"
RESULT = "results/final_model"
EMBEDDED_MODEL = f"checkpoints/{MODEL}"
EMBEDDED_DATA = [
    {"type": "csv", "path": PLACES["civil_law_qa.csv"]},
    {"type": "csv", "path": PLACES["civil_law_qa_test.csv"], "part": "test"},
]
# A few minutes in all, on two cores.
EMBEDDED: dict[str, Any] = {
    "name": NAME,
    "output_dir": RESULT,
    "model": {"name_or_path": EMBEDDED_MODEL},
    "adapter": {"type": "lora", "r": 8, "lora_alpha": 32},
    "data": {"sources": EMBEDDED_DATA, "split": {"validation": 0.05, "test": 0}, "max_length": 512},
    "train": {"num_train_epochs": 1, "total_train_batch_size": 16, "learning_rate": 8.0e-3},
    "evaluate": {"limit": 24, "max_new_tokens": 64, "few_shot": 0},
}
# What the practice had where nothing else was said; a batch of one would take long on the embedded rows.
COURSE = {"learning_rate": 2.0e-5, "total_train_batch_size": 1}


def experiment(given: Mapping[str, Any]) -> dict[str, Any]:
    """The lessons' experiment with what the flags gave; a model or data of the user's take the practice's defaults."""
    tree: dict[str, Any] = {key: dict(v) if isinstance(v, dict) else v for key, v in EMBEDDED.items()}
    sources = given.get("data", {}).get("sources")
    if sources:
        tree["data"]["split"] = {"validation": 0.05, "test": 0.1}
    if "model" in given and "name_or_path" in given["model"]:
        tree["train"] |= COURSE
    document = Document(value=tree)
    merge(document, Document(value={key: value for key, value in given.items() if key != "name"}))
    merged: dict[str, Any] = document.value
    return merged


def lay_lesson(workspace: Workspace, given: Mapping[str, Any]) -> Path:
    """Write the experiment where it is not there, or anew where flags say another one; returns its file.

    Without flags one that is there stays as it is, so that it can be changed. Raises ConfigError where the file is
    somebody else's, and ArtifactError where something else stands in the place of the embedded model or data.
    """
    path = workspace.root / FILE
    there = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
    if there is not None and not there.startswith(MARK):
        raise ConfigError(
            say(
                f"{FILE}: is there already and is not the lessons'; rename it, or take the lessons in another folder",
                f"{FILE}: 이미 있는 파일이며 실습의 것이 아닙니다. 이름을 바꾸거나 다른 폴더에서 하세요",
            )
        )
    if there is None or given:
        write_text(path, _text(experiment(given)))
    text = path.read_text(encoding="utf-8")
    if EMBEDDED_MODEL in text or any(source["path"] in text for source in EMBEDDED_DATA):
        lay_out(workspace.root, whole=False)
    return path


def _text(tree: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    head = say(
        f"{MARK}: change it and take a lesson again; only what is stale is done anew.",
        f"{MARK}: 고치고 다시 해 보세요. 바뀐 것만 새로 합니다.",
    )
    out = StringIO(newline="\n")
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.allow_unicode, yaml.sort_base_mapping_type_on_output = False, True, False
    yaml.dump(tree, out)
    return f"{head}\n{out.getvalue()}"


def _diary(workspace: Workspace) -> Path:
    return workspace.experiments(NAME) / "lessons.json"


def done_before(workspace: Workspace) -> dict[str, float]:
    """When each lesson was last ended."""
    found = (read_object_or_none(_diary(workspace)) or {}).get("done")
    return {k: v for k, v in found.items() if isinstance(v, int | float)} if isinstance(found, dict) else {}


def note_done(workspace: Workspace, name: str) -> None:
    """The lesson was ended now."""
    _write(workspace, done={**done_before(workspace), name: time.time()})


def _write(workspace: Workspace, **facts: Any) -> None:
    write_json(_diary(workspace), {**(read_object_or_none(_diary(workspace)) or {}), **facts})


def _files(workspace: Workspace) -> dict[str, str]:
    found = (read_object_or_none(_diary(workspace)) or {}).get("files")
    return found if isinstance(found, dict) else {}


def place_of(workspace: Workspace, name: str) -> Path:
    """Where a lesson's file goes: into the workspace's own folder; where another file has the name there, below `results/`."""
    place = workspace.root / name
    if not place.exists() or (place.is_file() and _files(workspace).get(name) == sha256_file(place)):
        return place
    return workspace.root / "results" / name


def keep(workspace: Workspace, name: str, source: Path) -> Path:
    """Put a copy of `source` where `place_of` says, whole or not at all."""
    place = place_of(workspace, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}.new")
    shutil.copyfile(source, aside)
    aside.replace(place)
    ours(workspace, name, place)
    return place


def ours(workspace: Workspace, name: str, place: Path) -> None:
    """Remember that the file is a lesson's as it is, so that the next one may replace it."""
    if place.parent == workspace.root:
        _write(workspace, files={**_files(workspace), name: sha256_file(place)})
