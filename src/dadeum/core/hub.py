"""The Hub: models and data sets fetched by name, or found in the cache, or one sentence that says why not.

The first request is short and bounded, so that a dead Hub is noticed in seconds; the files come through
`core.download`, which resumes and checks them. Nothing that executes what it loads is ever fetched.
`HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME`, `HF_HUB_CACHE` and `HF_HUB_OFFLINE` are read at each call.
"""

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from dadeum.core.download import describe, download, matches
from dadeum.core.errors import HubError
from dadeum.core.hub_refusal import Kind, Unreachable, cache, endpoint, offline_error, sentence, token
from dadeum.core.language import say
from dadeum.core.near import hint, near_folder

logger = logging.getLogger("dadeum")
ATTEMPTS = 2
TIMEOUT = 3.0  # seconds of each attempt
PAUSE = 0.5
COMMIT = re.compile(r"[0-9a-f]{40}")
TOKENIZER = ("*.json", "*.jinja", "tokenizer.model", "merges.txt", "vocab.*")
WEIGHTS = ("*.safetensors", *TOKENIZER)
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True)
class Repository:
    """A repository at one commit."""

    name: str
    commit: str
    files: tuple[str, ...]


def is_local(name: str) -> bool:
    """Whether the name says a path: it begins with `.`, `/` or `~`, has more than one `/`, or is a folder here."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name or Path(name).is_dir()


def offline() -> bool:
    """Whether the user forbids the network (`HF_HUB_OFFLINE`)."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _folder(name: str) -> Path:
    return cache() / f"models--{name.replace('/', '--')}"


def cached_commit(name: str, revision: str) -> str | None:
    """The commit of a model that is wholly in the cache under this revision, without asking the Hub."""
    folder = _folder(name)
    reference = folder / "refs" / revision
    commit = revision if COMMIT.fullmatch(revision) else ""
    if not commit and reference.is_file():
        commit = reference.read_text(encoding="utf-8").strip()
    return commit if commit and _complete(folder / "snapshots" / commit, weights=False) else None


def cached_model(name: str, revision: str, *, weights: bool) -> Path | None:
    """The snapshot of a model in the cache, with all its weights if they are asked for, without asking the Hub."""
    commit = cached_commit(name, revision)
    snapshot = _folder(name) / "snapshots" / commit if commit else None
    return snapshot if snapshot is not None and _complete(snapshot, weights=weights) else None


def commit_of(place: Path | None) -> str | None:
    """The commit of a folder that is a snapshot in the cache; None for any other."""
    known = place is not None and place.parent.name == "snapshots" and COMMIT.fullmatch(place.name)
    return place.name if place is not None and known else None


def _complete(snapshot: Path, *, weights: bool) -> bool:
    """Whether a snapshot holds a configuration or tokenizer and, if asked for, each file of the weights."""
    if not weights:
        return any((snapshot / name).is_file() for name in ("config.json", "tokenizer.json", "tokenizer_config.json"))
    if (snapshot / INDEX).is_file():
        try:
            shards = set(json.loads((snapshot / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError):
            return False
        return all((snapshot / shard).is_file() for shard in shards)
    return any(snapshot.glob("*.safetensors"))


def fetch_model(
    name: str, revision: str = "main", *, weights: bool, tell: Callable[[str], None] = logger.warning
) -> Path:
    """The local folder of a model: itself where `name` is a path, else its snapshot in the cache, downloaded if need be.

    Without `weights`, configuration and tokenizer only. Weights are safetensors or nothing. Where the Hub does not
    answer, a complete snapshot is used as it is, and `tell` hears of it. Raises HubError.
    """
    if is_local(name):
        folder = Path(name).expanduser()
        if folder.is_dir():
            return folder
        near = hint(near_folder(name))
        raise HubError(say(f"{name}: no such folder{near}", f"{name}: 그런 폴더가 없습니다{near}"))
    known = cached_model(name, revision, weights=weights)
    if offline():
        if known is None:
            raise offline_error("model", name)
        return known
    if known is not None and COMMIT.fullmatch(revision):
        return known
    try:
        repository = resolve("model", name, revision)
    except Unreachable as error:
        if known is None:
            raise
        tell(say(f"{error}; using the copy of {known.name}", f"{error}. 내려받아 둔 {known.name}을(를) 씁니다"))
        return known
    if weights and not any(f.endswith(".safetensors") for f in repository.files):
        raise HubError(
            say(
                f"{name}: holds no safetensors (other formats may execute code when loaded); choose a model that has them",
                f"{name}: safetensors가 없습니다(다른 형식은 열 때 코드를 실행할 수 있음). safetensors가 있는 모델을 고르세요",
            )
        )
    patterns = WEIGHTS if weights else TOKENIZER
    wanted = [file for file in repository.files if any(fnmatchcase(file, pattern) for pattern in patterns)]
    snapshot = _folder(name) / "snapshots" / repository.commit
    snapshot.mkdir(parents=True, exist_ok=True)
    _bring("model", repository, wanted, snapshot, blobs=_folder(name) / "blobs")
    reference = _folder(name) / "refs" / revision
    reference.parent.mkdir(parents=True, exist_ok=True)
    reference.write_text(repository.commit, encoding="utf-8")
    return snapshot


def fetch_dataset(repository: Repository, files: Iterable[str], into: Path) -> None:
    """Files of a data set, written below the folder `into`. Goes on where it was interrupted. Raises HubError."""
    _bring("dataset", repository, files, into, blobs=None)


def resolve(kind: Kind, name: str, revision: str) -> Repository:
    """Commit and file names of a repository: one request, tried twice, a few seconds at most. Raises HubError."""
    if offline():
        raise offline_error(kind, name)
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint(), token=token())
    ask = api.model_info if kind == "model" else api.dataset_info
    for attempt in range(ATTEMPTS):
        try:
            info = ask(name, revision=revision, timeout=TIMEOUT)
            return Repository(name, str(info.sha), tuple(s.rfilename for s in info.siblings or ()))
        except Exception as error:
            found = sentence(kind, name, revision, error)
            if found is None:
                raise
            if not isinstance(found, Unreachable) or attempt == ATTEMPTS - 1:
                raise found from None
            time.sleep(PAUSE)
    raise AssertionError("not reached")


def _bring(kind: Kind, repository: Repository, files: Iterable[str], into: Path, *, blobs: Path | None) -> None:
    """Files of a repository below `into`: themselves, or links to `blobs` as all programs lay out the cache."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    headers = build_hf_headers(token=token())
    links: list[tuple[Path, Path]] = []
    for name in files:
        place, label = into / name, f"{repository.name}: {name}"
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise HubError(say(f"{label}: leaves its folder, not fetched", f"{label}: 폴더를 벗어나는 이름입니다"))
        if blobs is not None and place.is_file():
            continue
        url = hf_hub_url(repository.name, name, repo_type=kind, revision=repository.commit, endpoint=endpoint())
        try:
            etag, size = describe(url, label=label, headers=headers)
            if blobs is None and place.is_file():
                if matches(place, etag):
                    continue
                place.unlink()
            target = blobs / etag if blobs is not None and etag.isalnum() else place
            if not target.is_file():
                download(url, target, etag=etag, size=size, label=label, headers=headers)
        except Exception as error:
            found = sentence(kind, repository.name, repository.commit, error)
            if found is None:
                raise
            raise found from None
        if target != place:
            links.append((place, target))
    # Last and at once, so that a snapshot of which half came does not look whole.
    for place, target in links:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.symlink_to(os.path.relpath(target, place.parent))
