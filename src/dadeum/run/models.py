"""From what a user calls a model to an engine that answers: the folder, its base, its prompt."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from dadeum.core.artifact import read_json
from dadeum.core.errors import ModelError
from dadeum.core.hub import fetch_model
from dadeum.core.language import say
from dadeum.core.workspace import Workspace

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
    if local.is_dir():
        return local
    # Fresh base weights lie beside the runs; there they are found when the workspace was moved.
    for folder in (place.parent.parent, place) if Path(named).is_absolute() else ():
        if (folder / local.name).is_dir():
            return folder / local.name
    return fetch_model(named, revision, weights=True)


def open_engine(workspace: Workspace, name: str, place: Path) -> "Engine":
    """Load what `find_model` found to answer."""
    from dadeum.generate.engine import Engine

    base = base_of(place, workspace)
    logger.info("model %s from %s%s", name, place, f" on {base}" if base else "")
    return Engine.open(place, base=base, name=name)
