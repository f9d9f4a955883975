"""What the stages are made from: hashes of data files, tokenizers and weights, found without torch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dadeum.config.experiment import Experiment
from dadeum.core.artifact import write_json
from dadeum.core.errors import ModelError
from dadeum.core.fingerprint import fingerprint, sha256_file
from dadeum.core.hub import cached_model, fetch_model, is_local
from dadeum.core.language import say
from dadeum.core.workspace import Workspace

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
)
LARGE = 64_000_000


@dataclass(frozen=True)
class Places:
    """Local folders of the base model and of the tokenizer; None while they are still on the Hub."""

    model: Path | None
    tokenizer: Path | None


def _place(name: str, revision: str, workspace: Workspace, *, weights: bool, fetch: bool) -> Path | None:
    if is_local(name) or workspace.at(name).is_dir():
        folder = workspace.at(name)
        if not folder.is_dir():
            raise ModelError(
                say(
                    f"{name}: no such folder; expected a model's folder or a Hub id",
                    f"{name}: 그런 폴더가 없습니다. 모델 폴더나 Hub 이름을 쓰세요",
                )
            )
        return folder
    return fetch_model(name, revision, weights=weights) if fetch else cached_model(name, revision, weights=weights)


def places(experiment: Experiment, workspace: Workspace, *, fetch: bool = False) -> Places:
    """Where model and tokenizer lie. With `fetch`, what is missing is downloaded."""
    model = experiment.model
    random = model.init == "random"
    own = (
        None
        if model.name_or_path is None
        else _place(model.name_or_path, model.revision, workspace, weights=not random, fetch=fetch)
    )
    named = experiment.tokenizer.name_or_path
    tokenizer = own if named is None else _place(named, "main", workspace, weights=False, fetch=fetch)
    if named is None and model.name_or_path is None:
        raise ModelError(
            say(
                "tokenizer.name_or_path: found nothing, expected a folder or Hub id (a random model has no tokenizer of its own)",
                "tokenizer.name_or_path: 없습니다. 새로 만드는 모델에는 토크나이저 폴더나 Hub 이름이 필요합니다",
            )
        )
    return Places(own, tokenizer)


def tokenizer_hash(folder: Path) -> str:
    """One hash over the files that make a tokenizer."""
    found = {name: sha256_file(folder / name) for name in TOKENIZER_FILES if (folder / name).is_file()}
    if not found:
        raise ModelError(
            say(
                f"{folder}: no tokenizer files, expected tokenizer.json; set tokenizer.name_or_path",
                f"{folder}: 토크나이저 파일이 없습니다. tokenizer.name_or_path를 지정하세요",
            )
        )
    return fingerprint(found)


def template_hash(setting: str | None, workspace: Workspace) -> str | None:
    """The name of a shipped chat template, or the hash of a file."""
    if setting is None:
        return None
    path = workspace.at(setting)
    return sha256_file(path) if path.is_file() else setting


def model_hash(folder: Path, cache: Path) -> str:
    """One hash over configuration and weights.

    Large files are hashed once: the cache goes by inode, size, and both times; the change time cannot be set back.
    """
    if not (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file():
        raise ModelError(
            say(
                f"{folder}: no config.json, expected a model's folder",
                f"{folder}: config.json이 없습니다. 모델 폴더여야 합니다",
            )
        )
    known: dict[str, str] = json.loads(cache.read_text(encoding="utf-8")) if cache.is_file() else {}
    before = len(known)
    hashes: dict[str, str] = {}
    for file in sorted(
        f for f in folder.iterdir() if f.suffix == ".safetensors" or f.name in ("config.json", "adapter_config.json")
    ):
        stat = file.stat()
        if stat.st_size < LARGE:
            hashes[file.name] = sha256_file(file)
            continue
        key = f"{file.resolve()}:{stat.st_ino}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
        if key not in known:
            known[key] = sha256_file(file)
        hashes[file.name] = known[key]
    if len(known) != before:
        write_json(cache, known)
    return fingerprint(hashes)


def base_made_from(experiment: Experiment, place: Path | None, workspace: Workspace) -> dict[str, Any]:
    """What the base model is made from: its bytes, or for fresh weights their configuration and seed."""
    model = experiment.model
    if model.init == "random":
        config: Any = model.config
        if config is None and place is not None and (place / "config.json").is_file():
            config = sha256_file(place / "config.json")
        return {"model.init": "random", "model.config": config, "train.seed": experiment.train.seed}
    assert place is not None
    return {"model": model_hash(place, workspace.processed / ".hashes.json")}
