"""Taking runs away: their weights and evidence, nothing else, and nothing half.

A removal begins by renaming the evidence to `.removing-<run>`: from then on the run is not there, and what a kill
leaves is cleared by the next removal or run of the experiment (`settle`).
"""

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

from dadeum.core import faults
from dadeum.core.artifact import read_manifest
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.core.lock import unheld
from dadeum.core.workspace import Workspace
from dadeum.run.ledger import read_entry, run_folders
from dadeum.run.store import PUBLISHED, Run, publish

GOING = ".removing-"


def check(workspace: Workspace, run: Run) -> None:
    """Raises ArtifactError where the run is being written, or where a link leads out of the workspace."""
    root = workspace.root.resolve()
    for folder in (run.evidence, run.checkpoints):
        for place in (folder, folder.parent, folder.parent.parent):
            if place.is_symlink() or not place.resolve().is_relative_to(root):
                raise ArtifactError(
                    say(
                        f"{place}: is a link, and dadeum removes nothing behind one; remove the run there yourself",
                        f"{place}: 링크입니다. 링크 너머는 지우지 않으니 직접 지우세요",
                    )
                )
    if run.evidence.is_dir():
        with unheld(run.evidence):
            pass


def size_of(run: Run) -> int:
    """Bytes of all its files; links are not followed."""
    found = 0
    for folder in (run.evidence, run.checkpoints):
        for file in folder.rglob("*"):
            with contextlib.suppress(OSError):
                stat = file.lstat()
                found += stat.st_size if not file.is_dir() or file.is_symlink() else 0
    return found


def published(workspace: Workspace, experiment: str) -> str | None:
    """The run whose weights `checkpoints/<experiment>/` itself holds."""
    found = _listed(workspace.root / "checkpoints" / experiment).get("run")
    return found if isinstance(found, str) else None


def heir(workspace: Workspace, run: Run, going: set[str]) -> Run | None:
    """The newest finished run of the experiment that stays."""
    left = [other for other in _whole(workspace, run.experiment) if other.name not in {run.name, *going}]
    return left[-1] if left else None


def _whole(workspace: Workspace, experiment: str) -> list[Run]:
    """Finished runs of the experiment, those of further seeds first; damaged records do not stand in the way."""
    found = []
    for entry in (read_entry(run) for run in run_folders(workspace) if run.experiment == experiment):
        manifest = read_manifest(entry.run.final)
        if manifest is not None:
            found.append((not entry.facts["beside"], manifest.created, entry.run.name, entry.run))
    return [run for *_, run in sorted(found, key=lambda one: one[:3])]


def remove(workspace: Workspace, run: Run) -> None:
    """Take the run away. Raises ArtifactError as `check` does, and then nothing was touched."""
    check(workspace, run)
    if run.evidence.is_dir():
        with unheld(run.evidence):
            run.evidence.rename(run.evidence.with_name(GOING + run.name))
    elif run.checkpoints.is_dir():
        run.checkpoints.rename(run.checkpoints.with_name(GOING + run.name))
    faults.point("runs.removed")
    settle(workspace, run.experiment)


def settle(workspace: Workspace, experiment: str) -> None:
    """End what a removal of this experiment's runs began, also one that was killed."""
    evidence, checkpoints = (workspace.root / top / experiment for top in ("experiments", "checkpoints"))
    root = workspace.root.resolve()
    if any(place.is_symlink() or not place.resolve().is_relative_to(root) for place in (evidence, checkpoints)):
        return
    going = [f for f in evidence.glob(f"{GOING}*") if f.is_dir() and not f.is_symlink()]
    for aside in going:
        weights = checkpoints / aside.name.removeprefix(GOING)
        if weights.is_dir() and not weights.is_symlink():
            _clear(checkpoints / aside.name)
            weights.rename(checkpoints / aside.name)
    faults.point("runs.both_aside")
    left = [f for f in checkpoints.glob(f"{GOING}*") if f.is_dir() and not f.is_symlink()]
    names = {f.name.removeprefix(GOING) for f in (*going, *left)}
    if published(workspace, experiment) in names:
        _publish_another(workspace, experiment)
    faults.point("runs.published")
    for aside in (*left, *going):  # the evidence last: as long as it is there, this is done again
        _clear(aside)


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _listed(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / PUBLISHED).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _publish_another(workspace: Workspace, experiment: str) -> None:
    """The newest finished run takes the place; where there is none, no model of that name stays."""
    left = _whole(workspace, experiment)
    if left:
        publish(left[-1])
        return
    folder = workspace.root / "checkpoints" / experiment
    for name in _listed(folder).get("files", []):
        if isinstance(name, str) and Path(name).name == name:
            (folder / name).unlink(missing_ok=True)
    (folder / PUBLISHED).unlink(missing_ok=True)
