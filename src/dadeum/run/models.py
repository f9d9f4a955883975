"""From what a user calls a model to an engine that answers, or to its tokenizer alone: the folder, its base, its prompt."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dadeum.core.artifact import read_json
from dadeum.core.errors import DadeumError, ModelError
from dadeum.core.hub import fetch_model
from dadeum.core.language import say
from dadeum.core.workspace import Workspace

if TYPE_CHECKING:
    from dadeum.data.contract import PromptContract
    from dadeum.data.special import Declared
    from dadeum.generate.engine import Engine
    from dadeum.generate.predictor import Predictor

logger = logging.getLogger("dadeum")
ADAPTER = "adapter_config.json"
TOKENIZERS = ("tokenizer.json", "vocab.json", "tokenizer.model", "spiece.model", "vocab.txt")


def base_of(place: Path, workspace: Workspace, *, weights: bool = True) -> Path | None:
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
    return fetch_model(named, revision, weights=weights)


def formatted_of(workspace: Workspace, place: Path) -> Path | None:
    """The formatted rows of the run of this workspace that `place` is a result of; None where it is none, or they are gone."""
    record = workspace.root / "experiments" / place.parent.parent.name / place.parent.name / "manifest.json"
    if place.name not in ("final", "merged") or not record.is_file():
        return None
    folder = workspace.at(str(read_json(record).get("formatted", "")))
    return folder if (folder / "test.jsonl").is_file() else None


def open_engine(workspace: Workspace, name: str, place: Path) -> "Engine":
    """Load what `find_model` found to answer."""
    from dadeum.generate.engine import Engine

    base = base_of(place, workspace)
    logger.info("model %s from %s%s", name, place, f" on {base}" if base else "")
    return Engine.open(place, base=base, name=name)


def open_predictor(workspace: Workspace, name: str, place: Path) -> "Predictor":
    """Load what `find_model` found to say labels. Raises ModelError where it has no head."""
    from dadeum.generate.predictor import Predictor, headless
    from dadeum.model.files import is_headed

    if not is_headed(place):
        raise headless(name)
    base = base_of(place, workspace)
    logger.info("model %s from %s%s", name, place, f" on {base}" if base else "")
    return Predictor.open(place, base=base, name=name)


def columns_of(workspace: Workspace, place: Path) -> dict[str, str]:
    """`data.columns` of the run of this workspace that `place` is a result of; nothing where it is none."""
    from dadeum.config.load import load

    file = workspace.root / "experiments" / place.parent.parent.name / place.parent.name / "config.yaml"
    return dict(load(file, root=workspace.root).experiment.data.columns) if file.is_file() else {}


def open_tokenizer(
    workspace: Workspace, place: Path, *, chat_template: str | None = None
) -> "tuple[Any, PromptContract, Declared]":
    """Tokenizer and prompt contract of what `find_model` found, and what its files declare. Loads no weights, no torch.

    `chat_template`, a shipped name or a Jinja file, takes the place of the model's own.
    """
    from dadeum.data.contract import FILE, PromptContract, open_prompt
    from dadeum.data.render import Renderer
    from dadeum.tokenizer.load import load_tokenizer

    holds = any((place / name).is_file() for name in TOKENIZERS)
    try:
        base = base_of(place, workspace, weights=False)
    except DadeumError:
        # An adapter that carries its tokenizer is looked at without its base: only the base's size stays unknown.
        if not holds:
            raise
        base = None
    folder = place if holds or base is None else base
    if chat_template is None and (folder / FILE).is_file():
        tokenizer, contract = open_prompt(folder)
    else:
        tokenizer = load_tokenizer(folder, chat_template=chat_template)
        contract = PromptContract.of(Renderer(tokenizer))
    return tokenizer, contract, _declared([place] if base is None else [place, base])


def _declared(folders: list[Path]) -> "Declared":
    """The rows of the embedding, and what stops `generate`: generation_config.json, else config.json."""
    from dadeum.data.special import Declared
    from dadeum.model.files import read_object

    def first(name: str) -> tuple[Path | None, dict[str, Any]]:
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        return path, read_object(path) if path else {}

    config_file, config = first("config.json")
    text = config.get("text_config")
    size = config.get("vocab_size") or (text.get("vocab_size") if isinstance(text, dict) else None)
    stop_file, stops = first("generation_config.json")
    if stop_file is None:  # then transformers takes what config.json says
        stop_file, stops = config_file, config
    if stop_file is None:
        return Declared(size if isinstance(size, int) else None)
    named = stops.get("eos_token_id")
    ids = named if isinstance(named, list) else [named]
    return Declared(
        size if isinstance(size, int) else None, tuple(i for i in ids if isinstance(i, int)), stop_file.name
    )
