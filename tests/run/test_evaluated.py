"""Which scores may be used again: those of the same rows, asked and measured in the same way."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.artifact import read_json, write_json
from dadeum.core.workspace import Workspace
from dadeum.evaluate.step import BASE, BASE_FEW_SHOT, FILES, TUNED
from dadeum.run.evaluated import base_scores, experiment_of, is_base, preprocessed_of, run_at, tuned_scores
from dadeum.run.models import formatted_of
from dadeum.run.store import Run
from tests.run.lab import NAME, runs_of


def parts(root: Path) -> tuple[Workspace, Run, Path, EvaluateSettings]:
    workspace, run = Workspace(root), runs_of(root)[0]
    formatted, experiment = formatted_of(workspace, run.final), experiment_of(workspace, run)
    assert formatted is not None and experiment is not None
    return workspace, run, formatted, experiment.evaluate


def test_scores_of_a_run_and_of_its_base(done: Path) -> None:
    workspace, run, formatted, settings = parts(done)
    assert run_at(workspace, run.final) == run and run_at(workspace, formatted) is None
    assert tuned_scores(workspace, run.final, formatted, settings) == {TUNED: run.evaluation / FILES[TUNED]}
    (base,) = (done / "checkpoints" / NAME).glob("base-*")
    found = base_scores(workspace, base, [base, run.final], formatted, settings)
    assert found == {kind: run.evaluation / FILES[kind] for kind in (BASE, BASE_FEW_SHOT)}
    other = settings.model_copy(update={"few_shot": 1})
    assert set(base_scores(workspace, base, [run.final], formatted, other)) == {BASE}
    assert base_scores(workspace, run.final, [run.final], formatted, settings) == {}
    assert base_scores(workspace, base, [base], formatted, settings) == {}
    assert is_base(workspace, base, [base, run.final]) and not is_base(workspace, run.final, [base, run.final])
    made = preprocessed_of(workspace, formatted)
    assert made is not None and (made / "processed_conversations.json").is_file()


@pytest.mark.parametrize("change", [{"max_new_tokens": 5}, {"limit": 3}, {"limit": None}, {"metrics": ["chrf"]}])
def test_other_settings_are_other_scores(done: Path, change: dict[str, Any]) -> None:
    workspace, run, formatted, settings = parts(done)
    values = settings.model_dump(mode="json")
    assert tuned_scores(workspace, run.final, formatted, EvaluateSettings.model_validate(values | change)) == {}
    more = EvaluateSettings.model_validate(values | {"bootstrap": 100, "batch_size": 3})
    assert tuned_scores(workspace, run.final, formatted, more)


def test_other_rows_and_other_versions_are_other_scores(ran: Path) -> None:
    workspace, run, formatted, settings = parts(ran)
    assert tuned_scores(workspace, run.final, formatted.parent, settings) == {}
    path = run.evaluation / FILES[TUNED]
    found = read_json(path)
    found["environment"]["versions"]["torch"] = "0"
    record = run.stage("eval tuned")
    assert record is not None and tuned_scores(workspace, run.final, formatted, settings)
    write_json(path, found)
    run.finish("eval tuned", "x", record["made_from"], [path], ran)
    assert tuned_scores(workspace, run.final, formatted, settings) == {}


def test_what_another_version_of_a_package_measured_is_not_used(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, run, formatted, settings = parts(done)
    monkeypatch.setattr("dadeum.run.tasks.version", lambda name: "0")
    assert tuned_scores(workspace, run.final, formatted, settings) == {}


def test_damaged_evidence_is_no_evidence(ran: Path) -> None:
    workspace, run, formatted, settings = parts(ran)
    (run.evaluation / FILES[TUNED]).write_text("{}", encoding="utf-8")
    assert tuned_scores(workspace, run.final, formatted, settings) == {}
    (run.evidence / "config.yaml").write_text("name: [", encoding="utf-8")
    assert experiment_of(workspace, run) is None
    assert preprocessed_of(workspace, ran) is None
