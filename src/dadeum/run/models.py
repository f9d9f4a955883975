"""From what a user calls a model to an engine that answers: the folder, its base, its prompt."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from dadeum.core.artifact import read_json
from dadeum.core.errors import ModelError
from dadeum.core.hub import fetch_model
from dadeum.core.language import say
from dadeum.core.workspace import Workspace
from dadeum.run.store import find_model

if TYPE_CHECKING:
    from dadeum.generate.engine import Engine

logger = logging.getLogger("dadeum")
ADAPTER = "adapter_config.json"


def base_of(place: Path, workspace: Workspace) -> Path | None:
    """Folder of the base that the adapter in `place` names; None for a whole model. A Hub base is fetched."""
    if not (place / ADAPTER).is_file():
        return None
    config = read_json(place / ADAPTER)
    named, revision = config.get("base_model_name_or_path"), config.get("revision") or "main"
    if not isinstance(named, str) or not named:
        raise ModelError(
            say(f"{place / ADAPTER}: names no base model", f"{place / ADAPTER}: 기본 모델이 적혀 있지 않습니다")
        )
    local = workspace.at(named)
    return local if local.is_dir() else fetch_model(named, revision, weights=True)


def open_engine(workspace: Workspace, text: str | None, *, prompt: Path | None = None) -> "Engine":
    """Load MODEL (see `find_model`) to answer. `prompt` is a folder with another prompt contract than the model's own."""
    from dadeum.generate.engine import Engine

    name, place = find_model(workspace, text)
    base = base_of(place, workspace)
    logger.info("model %s from %s%s", name, place, f" on {base}" if base else "")
    return Engine.open(place, base=base, prompt=prompt, name=name)
