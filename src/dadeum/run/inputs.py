"""What the stages are made from: hashes of data files, tokenizers and weights, found without torch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dadeum.config.experiment import Experiment
from dadeum.core.artifact import write_json
from dadeum.core.errors import ModelError
from dadeum.core.fingerprint import fingerprint, sha256_file
from dadeum.core.hub import cached_model, commit_of, fetch_model, is_local
from dadeum.core.language import say
from dadeum.core.near import hint, near_folder
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.data.sources import SOURCES
from dadeum.train.context import OtherModel
from dadeum.train.objectives import OBJECTIVES

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
HASHES = ".hashes.json"


@dataclass(frozen=True)
class Places:
    """Local folders of the base model, the tokenizer, and the teacher where there is one; None while they are on the Hub."""

    model: Path | None
    tokenizer: Path | None
    teacher: Path | None = None


def _place(name: str, revision: str, workspace: Workspace, *, weights: bool, reporter: Reporter | None) -> Path | None:
    if is_local(name) or workspace.at(name).is_dir():
        folder = workspace.at(name)
        if not folder.is_dir():
            near = hint(near_folder(name, workspace.root))
            raise ModelError(
                say(
                    f"{name}: no such folder, expected a model's folder or a Hub id{near}",
                    f"{name}: 그런 폴더가 없습니다. 모델 폴더나 Hub 이름을 쓰세요{near}",
                )
            )
        return folder
    if reporter is None:
        return cached_model(name, revision, weights=weights)
    return fetch_model(name, revision, weights=weights, tell=reporter.warn)


def places(experiment: Experiment, workspace: Workspace, reporter: Reporter | None = None) -> Places:
    """Where model and tokenizer lie. With a reporter, what is missing is downloaded."""
    model = experiment.model
    random = model.init == "random"
    own = (
        None
        if model.name_or_path is None
        else _place(model.name_or_path, model.revision, workspace, weights=not random, reporter=reporter)
    )
    named = experiment.tokenizer.name_or_path
    tokenizer = (
        own
        if named is None
        else _place(named, experiment.tokenizer.revision, workspace, weights=False, reporter=reporter)
    )
    if named is None and model.name_or_path is None:
        raise ModelError(
            say(
                "tokenizer.name_or_path: found nothing, expected a folder or Hub id (a random model has no tokenizer of its own)",
                "tokenizer.name_or_path: 없습니다. 새로 만드는 모델에는 토크나이저 폴더나 Hub 이름이 필요합니다",
            )
        )
    other = teacher_of(experiment)
    if other is None:
        return Places(own, tokenizer)
    return Places(own, tokenizer, _place(other.name, other.revision, workspace, weights=True, reporter=reporter))


def teacher_of(experiment: Experiment) -> OtherModel | None:
    """The model that the objective needs beside the one that is trained."""
    objective = experiment.train.objective
    member = OBJECTIVES.of(objective)
    found: OtherModel | None = member.teacher(objective) if hasattr(member, "teacher") else None
    return found


def pinned(experiment: Experiment, where: Places, workspace: Workspace) -> Experiment:
    """The experiment with the commits that its branches and tags stand for here, as far as they are known."""
    model, tokenizer, data, train = experiment.model, experiment.tokenizer, experiment.data, experiment.train
    if commit := commit_of(where.model):
        model = model.model_copy(update={"revision": commit})
    if tokenizer.name_or_path is not None and (commit := commit_of(where.tokenizer)):
        tokenizer = tokenizer.model_copy(update={"revision": commit})
    if commit := commit_of(where.teacher):
        objective = OBJECTIVES.of(train.objective).pinned(train.objective, commit)
        train = train.model_copy(update={"objective": objective})
    sources = []
    for source in data.sources:
        member = SOURCES.of(source)
        commit = member.commit(source, workspace) if hasattr(member, "commit") else None
        sources.append(source.model_copy(update={"revision": commit}) if commit else source)
    data = data.model_copy(update={"sources": tuple(sources)})
    return experiment.model_copy(update={"model": model, "tokenizer": tokenizer, "data": data, "train": train})


def materials(experiment: Experiment, where: Places, workspace: Workspace) -> dict[str, Any]:
    """Base model, tokenizer and teacher as a run's record names them: name, commit, and the SHA-256 of each file."""
    found: dict[str, Any] = {}
    other = teacher_of(experiment)
    for key, name, place in (
        ("model", experiment.model.name_or_path, where.model),
        ("tokenizer", experiment.tokenizer.name_or_path, where.tokenizer),
        ("teacher", other.name if other is not None else None, where.teacher),
    ):
        if name is not None and place is not None:
            hashes = _tokenizer_files(place)
            if key != "tokenizer":
                hashes |= _model_files(place, workspace.processed / HASHES)
            found[key] = {"name": name, "commit": commit_of(place), "files": dict(sorted(hashes.items()))}
    return found


def _tokenizer_files(folder: Path) -> dict[str, str]:
    return {name: sha256_file(folder / name) for name in TOKENIZER_FILES if (folder / name).is_file()}


def tokenizer_hash(folder: Path) -> str:
    """One hash over the files that make a tokenizer."""
    found = _tokenizer_files(folder)
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
    """One hash over configuration and weights."""
    if not (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file():
        raise ModelError(
            say(
                f"{folder}: no config.json, expected a model's folder",
                f"{folder}: config.json이 없습니다. 모델 폴더여야 합니다",
            )
        )
    return fingerprint(_model_files(folder, cache))


def _model_files(folder: Path, cache: Path) -> dict[str, str]:
    """SHA-256 of configuration and weights.

    Large files are hashed once: the cache goes by inode, size, and both times; the change time cannot be set back.
    """
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
    return hashes


def teacher_made_from(place: Path | None, workspace: Workspace) -> dict[str, Any]:
    """What a training with a teacher is made from besides its settings."""
    return {} if place is None else {"teacher": model_hash(place, workspace.processed / HASHES)}


def base_made_from(experiment: Experiment, place: Path | None, workspace: Workspace) -> dict[str, Any]:
    """What the base model is made from: its bytes, or for fresh weights their configuration and seed."""
    model = experiment.model
    if model.init == "random":
        config: Any = model.config
        if config is None and place is not None and (place / "config.json").is_file():
            config = sha256_file(place / "config.json")
        return {"model.init": "random", "model.config": config, "train.seed": experiment.train.seed}
    assert place is not None
    return {"model": model_hash(place, workspace.processed / HASHES)}
