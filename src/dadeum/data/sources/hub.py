"""Data sets of the Hub, kept below `data/raw/<owner--name>/<commit>/` and read as the files that they are.

Which files make a config and a split is told by the `configs` of the data set's card, else by the files' names. Where
there are several splits, rows of its validation and test files stay there; the split draws what is missing from train.
Of a file that lies there both plain and compressed, the plain one is read. With `streaming` only the first rows are
fetched, to a folder of their own beside that of the commit.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, field_validator, model_serializer

from dadeum.core import artifact, hub
from dadeum.core.download import INCOMPLETE
from dadeum.core.errors import DataError
from dadeum.core.fingerprint import fingerprint
from dadeum.core.language import say
from dadeum.core.settings import setting
from dadeum.core.workspace import Workspace
from dadeum.data.charset import LONGEST_LINE
from dadeum.data.files import nfc
from dadeum.data.packed import inner, open_bytes
from dadeum.data.sources import SOURCES, Fault, FileFacts, Part, Row, _files, _mixed, _stream, kind_of, suffixes

NO_ROWS = {
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
    "state.json",
    "requirements.txt",
    "license.txt",
}
SPLITS: dict[str, Part] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
CARD = "README.md"
LISTING = "repository.json"
COMMITS = "commits.json"


class Settings(_mixed.Mixed):
    """A data set of the Hub, whole or its first rows."""

    type: Literal["hub"] = "hub"
    name: str = setting(
        ..., "`owner/name` of the data set.", "데이터셋의 `소유자/이름`.", pattern=r"^[\w.\-]+(/[\w.\-]+)?$"
    )
    revision: str = setting("main", "Branch, tag or commit.", "브랜치, 태그 또는 커밋.")
    config: str | None = setting(None, "Which of its configs (subsets).", "하위 구성(subset)의 이름.")
    split: str | None = setting(None, "Only this split.", "이 분할만.")
    files: str | None = setting(
        None, "Only files that match, such as `data/*.jsonl`.", "이 패턴에 맞는 파일만(예: `data/*.jsonl`)."
    )
    streaming: int | None = setting(
        None,
        "Only so many first rows of each split, without fetching whole files; `rows` and `weight` then draw from these.",
        "각 분할의 처음 몇 행만, 파일 전체를 내려받지 않고 가져옵니다. `rows`와 `weight`는 그 가운데서 뽑습니다.",
        ge=1,
    )
    part: Part | None = setting(
        None,
        "The part that all its rows belong to; default: as the splits say.",
        "모든 행이 속할 부분. 기본값은 분할 이름을 따릅니다.",
    )
    rows: int | None = setting(None, *_mixed.ROWS, ge=1)
    weight: float | None = setting(None, *_mixed.WEIGHT, gt=0)
    repeat: bool = setting(False, *_mixed.REPEAT)

    @field_validator("streaming", mode="before")
    @classmethod
    def _how_far(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError(
                say(
                    "expected how many rows of each split are read, such as 10000: rows are parted and counted before the training, "
                    "so a stream has to end",
                    "분할마다 몇 행을 읽을지 쓰세요(예: 10000). 학습 전에 행을 나누고 세므로 끝이 있어야 합니다",
                )
            )
        return value

    @model_serializer(mode="wrap")
    def _whole_as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = self.unmixed(handler(self))
        if self.streaming is None:
            written.pop("streaming")
        return written


def title(settings: Settings) -> str:
    """How reports and fingerprints call the source."""
    beside = [
        f"{key}={value}" for key in ("config", "split", "files", "streaming") if (value := getattr(settings, key))
    ]
    return f"hub:{settings.name}@{settings.revision}" + (f"[{','.join(beside)}]" if beside else "")


def _home(settings: Settings, workspace: Workspace) -> Path:
    return workspace.raw / settings.name.replace("/", "--")


def _folder(settings: Settings, found: str) -> str:
    """The name of the folder: the commit; of first rows their number, and in short what else was asked for."""
    if settings.streaming is None:
        return found
    asked = [settings.config, settings.split, settings.files]
    mark = f"-{fingerprint('hub', asked)[:8]}" if any(asked) else ""
    return f"{found}-first-{settings.streaming}{mark}"


def commit(settings: Settings, workspace: Workspace) -> str | None:
    """The commit that was downloaded for this revision, with all files that the settings ask for; else None."""
    home = _home(settings, workspace)
    known = artifact.read_json(home / COMMITS) if (home / COMMITS).is_file() else {}
    found = known.get(settings.revision) or (settings.revision if hub.COMMIT.fullmatch(settings.revision) else None)
    if found is None or artifact.read_manifest(home / _folder(settings, found)) is None:
        return None
    if settings.streaming is not None:
        return found
    wanted = _chosen(settings, home / found)
    return found if all((home / found / name).is_file() for name in wanted) else None


def download(settings: Settings, workspace: Workspace) -> Path:
    """Fetch what is missing; returns the folder of the commit. What was downloaded once is not asked for again."""
    home = _home(settings, workspace)
    found = commit(settings, workspace)
    if found is not None:
        return home / _folder(settings, found)
    repository = hub.resolve("dataset", settings.name, settings.revision)
    folder = home / _folder(settings, repository.commit)
    # One name for each commit, so that an interrupted download goes on.
    partial = home / f".partial-{folder.name}"
    partial.mkdir(parents=True, exist_ok=True)
    if artifact.read_manifest(folder) is not None:
        shutil.copytree(folder, partial, dirs_exist_ok=True)
    if CARD in repository.files:
        hub.fetch_dataset(repository, [CARD], partial)
    artifact.write_json(partial / LISTING, {"name": settings.name, "files": list(repository.files)})
    wanted = _chosen(settings, partial)
    if settings.streaming is None:
        hub.fetch_dataset(repository, sorted(wanted), partial)
    else:
        _stream.fetch(repository, wanted, settings.streaming, partial, _kind)
    for left in partial.rglob(f"*{INCOMPLETE}"):  # of files that other settings asked for
        left.unlink()
    (partial / artifact.MANIFEST).unlink(missing_ok=True)
    artifact.make_manifest(partial, "dataset", repository.commit, {"name": settings.name, "commit": repository.commit})
    artifact.replace_folder(partial, folder)
    known = artifact.read_json(home / COMMITS) if (home / COMMITS).is_file() else {}
    artifact.write_json(home / COMMITS, {**known, settings.revision: repository.commit})
    return folder


def files(settings: Settings, workspace: Workspace) -> list[Path]:
    """The files that were downloaded, held against their manifest. Raises DataError before the download."""
    found = commit(settings, workspace)
    if found is None:
        raise DataError(
            say(
                f"{settings.name}: not downloaded; run dadeum data download",
                f"{settings.name}: 아직 내려받지 않았습니다. dadeum data download를 실행하세요",
            )
        )
    folder = _home(settings, workspace) / _folder(settings, found)
    artifact.verified(folder)
    if settings.streaming is not None:
        return [folder / head.file for head in _stream.heads(folder)]
    return [folder / name for name in sorted(_chosen(settings, folder))]


def read(settings: Settings, files: list[Path]) -> Iterator[Row | Fault | FileFacts]:
    """Rows of each file, by the reader of its kind."""
    folder = next(parent for parent in files[0].parents if (parent / LISTING).is_file())
    splits = _chosen(settings, folder)
    heads = {head.file: head for head in _stream.heads(folder)} if settings.streaming is not None else {}
    several = len({split for split in splits.values() if split}) > 1
    names = Counter(path.name for path in files)
    for path, shown in _files.named(files):
        place = path.relative_to(folder).as_posix()
        head = heads.get(place)
        split = SPLITS.get(splits[place if head is None else head.of] or "")
        pinned = split if several and not settings.split and split != "train" else None
        kind = _kind(path)
        member = SOURCES.member(kind)
        items = member.read(member.Settings(path=str(path), part=settings.part or pinned), [path])
        if head is not None:
            items = _stream.told(items, head, title(settings))
        yield from items if names[path.name] == 1 else _told_apart(items, path, shown)


def _told_apart(items: Iterator[Row | Fault | FileFacts], path: Path, shown: str) -> Iterator[Row | Fault | FileFacts]:
    """Rows of a file whose name another has too: their places say in which folder it lies."""
    for item in items:
        if isinstance(item, FileFacts):
            yield item
        else:
            yield item._replace(where=shown + item.where.removeprefix(nfc(Path(path.name))))


def _kind(path: Path) -> str:
    """The member that reads the file; on the Hub `.json` is often one object a line."""
    kind = kind_of(path)
    if kind != "json":
        return str(kind)
    with open_bytes(path) as file:
        first = file.readline(LONGEST_LINE).strip().removeprefix(b"\xef\xbb\xbf")
        second = file.readline(LONGEST_LINE).strip()
    try:
        whole = isinstance(json.loads(first), dict)
    except ValueError:
        return "json"
    return "jsonl" if whole and (not second or second.startswith(b"{")) else "json"


def _chosen(settings: Settings, folder: Path) -> dict[str, str | None]:
    """Files of the repository that the settings ask for, with their splits. Raises DataError that lists what there is."""
    names: list[str] = artifact.read_json(folder / LISTING)["files"]
    rows = _with_rows(names)
    configs = _configs(folder / CARD)
    found: dict[str, str | None]
    if settings.files is not None:
        found = {name: _split_of(name) for name in rows if fnmatchcase(name, settings.files)}
    elif configs:
        found = _by_card(settings, configs, rows)
    else:
        found = {n: _split_of(n) for n in rows if settings.config is None or settings.config in Path(n).parts[:-1]}
    if settings.split is not None:
        found = {name: split for name, split in found.items() if split == settings.split}
    if not found:
        listed = ", ".join(rows[:8]) or "-"
        raise DataError(
            say(
                f"{title(settings)}: no csv, json, jsonl, parquet or txt file fits; there are: {listed}; set files, config or split",
                f"{title(settings)}: 맞는 csv, json, jsonl, parquet, txt 파일이 없습니다. 있는 파일: {listed}. files, config, split을 고치세요",
            )
        )
    known = suffixes()
    kinds = sorted({known[inner(Path(name)).suffix.lower()] for name in found})
    if len(kinds) > 1:
        raise DataError(
            say(
                f"{title(settings)}: files of several kinds ({', '.join(kinds)}) may hold the same rows; choose with files, such as '*.{kinds[0]}'",
                f"{title(settings)}: 여러 종류({', '.join(kinds)})의 파일에 같은 행이 있을 수 있습니다. files로 고르세요(예: '*.{kinds[0]}')",
            )
        )
    return found


def _with_rows(names: list[str]) -> list[str]:
    known, there = suffixes(), set(names)
    found = []
    for name in names:
        plain = inner(Path(name))
        twin = plain.as_posix() != name and plain.as_posix() in there
        if plain.suffix.lower() in known and plain.name.lower() not in NO_ROWS and not twin:
            found.append(name)
    return found


def _split_of(name: str) -> str | None:
    words = re.split(r"[^a-z]+", name.lower())
    return next((SPLITS[word] for word in words if word in SPLITS), None)


def _configs(card: Path) -> list[dict[str, Any]]:
    """`configs` in the front matter of the card; a card that cannot be read tells nothing."""
    if not card.is_file():
        return []
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    parts = card.read_text(encoding="utf-8", errors="replace").split("---\n", 2)
    if len(parts) < 3 or parts[0].strip():
        return []
    try:
        value = YAML(typ="safe", pure=True).load(parts[1])
    except YAMLError:
        return []
    configs = value.get("configs") if isinstance(value, dict) else None
    usable = [c for c in configs if isinstance(c, dict) and c.get("data_files")] if isinstance(configs, list) else []
    return usable


def _by_card(settings: Settings, configs: list[dict[str, Any]], rows: list[str]) -> dict[str, str | None]:
    names = [str(c.get("config_name", "default")) for c in configs]
    wanted = settings.config
    if wanted is None:
        default = [n for n, c in zip(names, configs, strict=True) if c.get("default") or n == "default"]
        wanted = default[0] if default else names[0] if len(names) == 1 else None
    if wanted not in names:
        listed = ", ".join(names)
        raise DataError(
            say(
                f"{settings.name}: found config '{settings.config or ''}', expected one of: {listed}",
                f"{settings.name}: config '{settings.config or ''}'은(는) 없습니다. 쓸 수 있는 값: {listed}",
            )
        )
    found: dict[str, str | None] = {}
    for split, pattern in _patterns(configs[names.index(wanted)]["data_files"]):
        for name in rows:
            if fnmatchcase(name, pattern.removeprefix("./").replace("**/", "*")):
                found[name] = split or _split_of(name)
    return found


def _patterns(data_files: Any) -> Iterator[tuple[str | None, str]]:
    """(split, pattern) of `data_files`: a pattern, patterns, or `{split, path}` entries."""
    for entry in data_files if isinstance(data_files, list) else [data_files]:
        if isinstance(entry, dict):
            paths = entry.get("path", [])
            yield from ((str(entry.get("split")), str(p)) for p in (paths if isinstance(paths, list) else [paths]))
        else:
            yield None, str(entry)
