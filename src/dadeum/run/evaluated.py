"""Scores that are there already: a run that was evaluated on the same rows, in the same way, is not asked again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.config.experiment import Experiment
from dadeum.core.artifact import read_json, read_manifest
from dadeum.core.errors import DadeumError
from dadeum.core.fingerprint import SHORT, versions
from dadeum.core.workspace import Workspace
from dadeum.evaluate.step import BASE, BASE_FEW_SHOT, FILES, TUNED
from dadeum.run.models import base_of, formatted_of
from dadeum.run.store import RECORD, Run, open_run
from dadeum.run.tasks import measured_with

# What two evaluations have in common whose answers are the same.
LIKE = ("metrics", "max_new_tokens", "limit")
OF_EXAMPLES = ("few_shot", "seed")


def run_at(workspace: Workspace, place: Path) -> Run | None:
    """The run of this workspace that the folder is the result of."""
    run = open_run(workspace, place.parent.parent.name, place.parent.name)
    same = run.final.resolve() == place.resolve()
    return run if same and (run.evidence / RECORD).is_file() else None


def experiment_of(workspace: Workspace, run: Run) -> Experiment | None:
    """The settings that the run was made with; None where they cannot be read any more."""
    from dadeum.config.load import load

    file = run.evidence / "config.yaml"
    try:
        return load(file, root=workspace.root).experiment if file.is_file() else None
    except DadeumError:
        return None


def preprocessed_of(workspace: Workspace, formatted: Path) -> Path | None:
    """The conversations that formatted rows were made of, where they are still there."""
    manifest = read_manifest(formatted)
    made = str(manifest.made_from.get("preprocessed", "")) if manifest is not None else ""
    folder = workspace.processed / f"preprocessed-{made[:SHORT]}"
    return folder if made and read_manifest(folder) is not None else None


def tuned_scores(workspace: Workspace, place: Path, formatted: Path, settings: EvaluateSettings) -> dict[str, Path]:
    """The scores of a run, `{TUNED: file}`, where it was evaluated on these rows in this way; else nothing."""
    run = run_at(workspace, place)
    return {} if run is None else _scores(workspace, run, "eval tuned", (TUNED,), formatted, settings)


def base_scores(
    workspace: Workspace, place: Path, places: Sequence[Path], formatted: Path, settings: EvaluateSettings
) -> dict[str, Path]:
    """The scores of a model that is the base of a run at one of the `places`, without and with examples; else nothing."""
    for run in (found for other in places if (found := run_at(workspace, other)) is not None):
        if _base(workspace, run) == place.resolve():
            scores = _scores(workspace, run, "eval base", (BASE, BASE_FEW_SHOT), formatted, settings)
            if BASE in scores:
                return scores
    return {}


def is_base(workspace: Workspace, place: Path, places: Sequence[Path]) -> bool:
    """Whether a model is the base of a run at one of the `places`."""
    runs = (run for other in places if (run := run_at(workspace, other)) is not None)
    return any(_base(workspace, run) == place.resolve() for run in runs)


def _base(workspace: Workspace, run: Run) -> Path | None:
    try:
        base = base_of(run.final, workspace)
    except DadeumError:
        return None
    experiment = experiment_of(workspace, run) if base is None else None
    named = experiment.model.name_or_path if experiment is not None else None
    return base.resolve() if base is not None else workspace.at(named).resolve() if named else None


def _scores(
    workspace: Workspace, run: Run, stage: str, kinds: Sequence[str], formatted: Path, settings: EvaluateSettings
) -> dict[str, Path]:
    experiment, record = experiment_of(workspace, run), run.stage(stage)
    same_rows = formatted_of(workspace, run.final) == formatted
    if experiment is None or not same_rows or record is None or not _like(experiment.evaluate, settings, LIKE):
        return {}
    now = measured_with(experiment, workspace)
    if any(record["made_from"].get(name) != value for name, value in now.items()):
        return {}
    found = {}
    for kind in kinds:
        path = run.evaluation / FILES[kind]
        examples = kind != BASE_FEW_SHOT or _like(experiment.evaluate, settings, OF_EXAMPLES)
        if path.is_file() and examples and read_json(path)["environment"].get("versions") == versions():
            found[kind] = path
    return found


def _like(one: EvaluateSettings, other: EvaluateSettings, names: Sequence[str]) -> bool:
    a, b = (_plain(settings) for settings in (one, other))
    return all(a[name] == b[name] for name in names)


def _plain(settings: EvaluateSettings) -> dict[str, Any]:
    return settings.model_dump(mode="json")
