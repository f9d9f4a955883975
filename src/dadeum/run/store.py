"""The runs of a workspace: their folders, their records, and what a MODEL on the command line means."""

import json
import logging
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dadeum.core.artifact import MANIFEST, read_json, read_manifest, write_json
from dadeum.core.errors import ArtifactError, ModelError
from dadeum.core.fingerprint import sha256_file
from dadeum.core.hub import fetch_model
from dadeum.core.hub_refusal import near_hub_name
from dadeum.core.language import say
from dadeum.core.near import hint, near_folder, nearest
from dadeum.core.secrets import redacted
from dadeum.core.workspace import Workspace
from dadeum.plan.steps import Step

logger = logging.getLogger("dadeum")
RECORD = "manifest.json"
PUBLISHED = ".published.json"
HASHED = 16_000_000  # bytes below which a file is hashed each time


@dataclass(frozen=True)
class Run:
    """One run: weights in `checkpoints`, evidence in `evidence`."""

    experiment: str
    name: str
    checkpoints: Path
    evidence: Path

    @property
    def final(self) -> Path:
        """The finished weights."""
        return self.checkpoints / "final"

    @property
    def evaluation(self) -> Path:
        """Scores and comparisons."""
        return self.evidence / "evaluation"

    def record(self) -> dict[str, Any]:
        """What the run is and which stages are done; empty for a run that never began."""
        path = self.evidence / RECORD
        found: dict[str, Any] = read_json(path) if path.is_file() else {}
        return found

    def note(self, **facts: Any) -> None:
        """Set facts of the record."""
        write_json(self.evidence / RECORD, redacted({**self.record(), **facts}))

    def stage(self, name: str) -> dict[str, Any] | None:
        """The record of a stage that was finished and whose files are still as they were, else None."""
        found: dict[str, Any] | None = self.record().get("stages", {}).get(name)
        if found is None:
            return None
        for file, (size, digest) in found["files"].items():
            path = self.evidence.parents[2] / file
            if (
                not path.is_file()
                or size not in (None, path.stat().st_size)
                or (digest and sha256_file(path) != digest)
            ):
                return None
        return found

    def finish(self, name: str, fingerprint: str, made_from: dict[str, Any], files: list[Path], root: Path) -> None:
        """Record a stage as done.

        Small files are held by their hash, weights by their size (their own manifest has the hash), manifests by being
        there: the same made again has another time in it.
        """
        held: dict[str, list[Any]] = {}
        for file in sorted(f for path in files for f in ([path] if path.is_file() else path.rglob("*")) if f.is_file()):
            place = file.relative_to(root) if file.is_relative_to(root) else file.absolute()
            size = file.stat().st_size
            held[place.as_posix()] = (
                [None, None] if file.name == MANIFEST else [size, sha256_file(file) if size < HASHED else None]
            )
        stages = dict(self.record().get("stages", {}))
        stages[name] = {"fingerprint": fingerprint, "made_from": made_from, "files": held, "finished": time.time()}
        self.note(stages=stages)


def runs(workspace: Workspace, experiment: str) -> list[Run]:
    """Runs of an experiment, oldest first."""
    folder = workspace.experiments(experiment)
    names = (
        sorted(f.name for f in folder.iterdir() if f.name[0] != "." and (f / RECORD).is_file())
        if folder.is_dir()
        else []
    )
    return [open_run(workspace, experiment, name) for name in names]


def open_run(workspace: Workspace, experiment: str, name: str) -> Run:
    """The run of that name, whether it exists or not."""
    return Run(experiment, name, workspace.checkpoints(experiment) / name, workspace.experiments(experiment) / name)


def newest(workspace: Workspace, experiment: str, fingerprint: str) -> Run | None:
    """The newest run of the experiment with this training fingerprint."""
    same = [run for run in runs(workspace, experiment) if run.record().get("fingerprint") == fingerprint]
    return same[-1] if same else None


def done_before(workspace: Workspace, experiment: str, step: Step) -> Run | None:
    """The newest run of the experiment in which this very step was done."""
    for run in reversed(runs(workspace, experiment)):
        record = run.stage(step.name)
        if record is not None and record["fingerprint"] == step.fingerprint:
            return run
    return None


def new_run(workspace: Workspace, experiment: str, fingerprint: str) -> Run:
    """A fresh run, named by the time and the fingerprint."""
    stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{fingerprint[:6]}"
    name, count = stem, 1
    while (workspace.experiments(experiment) / name).exists():
        count += 1
        name = f"{stem}-{count}"
    run = open_run(workspace, experiment, name)
    run.evidence.mkdir(mode=0o700, parents=True)  # samples and logs quote the user's rows
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    run.note(experiment=experiment, run=name, fingerprint=fingerprint, status="started", stages={})
    return run


def publish(run: Run) -> None:
    """Make `checkpoints/<experiment>/` itself loadable: hard links (or copies) of the run's whole `final/`."""
    folder = run.checkpoints.parent
    listed = folder / PUBLISHED
    before: list[str] = json.loads(listed.read_text(encoding="utf-8"))["files"] if listed.is_file() else []
    files = sorted(f for f in run.final.iterdir() if f.is_file() and f.name != RECORD)
    for old in set(before) - {f.name for f in files}:
        (folder / old).unlink(missing_ok=True)
    for file in files:
        aside = folder / f".{file.name}.new"
        aside.unlink(missing_ok=True)
        try:
            os.link(file, aside)
        except OSError:
            shutil.copyfile(file, aside)
        aside.replace(folder / file.name)
    write_json(listed, {"run": run.name, "files": [f.name for f in files]})


def finished(workspace: Workspace, experiment: str | None = None) -> list[Run]:
    """Runs with whole final weights, the last finished last; those of further seeds stand before all others."""
    root = workspace.root / "experiments"
    folders = sorted(root.iterdir()) if experiment is None and root.is_dir() else []
    # Folders of the user may lie there too.
    names = [experiment] if experiment else [f.name for f in folders if any(f.glob(f"*/{RECORD}"))]
    whole = [
        (manifest.created, run)
        for name in names
        for run in runs(workspace, name)
        if (manifest := read_manifest(run.final))
    ]
    return [
        run
        for _, run in sorted(whole, key=lambda pair: (not pair[1].record().get("beside", False), pair[0], pair[1].name))
    ]


def experiment_names(workspace: Workspace) -> list[str]:
    """Names that have runs or a file in `configs/`."""
    root = workspace.root / "experiments"
    names = {f.name for f in root.iterdir() if f.is_dir()} if root.is_dir() else set()
    return sorted(names | {f.stem for f in workspace.configs.glob("*.yaml")})


def find_model(
    workspace: Workspace, text: str | None, tell: Callable[[str], None] = logger.warning, *, weights: bool = True
) -> tuple[str, Path]:
    """What a MODEL means: its shown name and its folder.

    Nothing: the last finished run. Else an experiment's name or YAML, a run, a folder, or a Hub id; `tell` hears of a
    copy that is used because the Hub does not answer. Without `weights` a Hub model's are not fetched.
    """
    if text is None:
        done = finished(workspace)
        if not done:
            raise ArtifactError(
                say(
                    "no finished run in this workspace; name a model, or run `dadeum run EXPERIMENT` first",
                    "이 작업 폴더에는 끝난 실행이 없습니다. 모델을 지정하거나 먼저 `dadeum run 실험`을 실행하세요",
                )
            )
        return done[-1].experiment, done[-1].final
    if text.endswith((".yaml", ".yml")):
        return _of_experiment(workspace, _name_in(workspace, workspace.at(text)))
    for name in experiment_names(workspace):
        if text == name:
            return _of_experiment(workspace, _name_of(workspace, name))
        if "/" not in text and (workspace.root / "experiments" / name / text / RECORD).is_file():
            run = open_run(workspace, name, text)
            if read_manifest(run.final) is None:
                raise ArtifactError(
                    say(
                        f"{text}: this run has no finished weights yet; go on with `dadeum run {name}`",
                        f"{text}: 아직 끝나지 않은 실행입니다. `dadeum run {name}`(으)로 이어서 하세요",
                    )
                )
            return text, run.final
    folder = workspace.at(text)
    if folder.is_dir():
        return folder.name, folder
    if text.startswith((".", "/", "~")) or text.count("/") > 1:
        near = hint(near_folder(text, workspace.root))
        raise ModelError(say(f"{text}: no such folder{near}", f"{text}: 그런 폴더가 없습니다{near}"))
    if "/" not in text:
        there = [
            *experiment_names(workspace),
            *(f.parent.name for f in workspace.root.glob(f"experiments/*/*/{RECORD}")),
        ]
        near = hint(nearest(text, there) or near_hub_name("model", text) or near_folder(text, workspace.root))
        raise ModelError(
            say(
                f"{text}: no experiment, run or folder of that name{near}",
                f"{text}: 그런 실험, 실행, 폴더가 없습니다{near}",
            )
        )
    return text, fetch_model(text, "main", weights=weights, tell=tell)


def _name_of(workspace: Workspace, text: str) -> str:
    """The experiment that `text` is the name of, or the name of whose file in `configs/`."""
    file = workspace.configs / f"{text}.yaml"
    return text if (workspace.root / "experiments" / text).is_dir() or not file.is_file() else _name_in(workspace, file)


def _name_in(workspace: Workspace, path: Path) -> str:
    """The name in an experiment file, or in what it extends."""
    from dadeum.config.load import load

    return load(path, root=workspace.root).experiment.name


def _of_experiment(workspace: Workspace, name: str) -> tuple[str, Path]:
    done = finished(workspace, name)
    if not done:
        raise ArtifactError(
            say(
                f"{name}: no finished run yet; run `dadeum run {name}` first",
                f"{name}: 끝난 실행이 없습니다. 먼저 `dadeum run {name}`을(를) 실행하세요",
            )
        )
    return name, done[-1].final
