"""dadeum.run.exhibit: all of one run, and what is wrong with it."""

import json
from pathlib import Path

from dadeum.core.workspace import Workspace
from dadeum.run.exhibit import exhibit
from tests.run.lab import NAME, runs_of
from tests.run.several import LATER, another, edit


def test_everything_of_a_run(done: Path) -> None:
    run = runs_of(done)[0]
    found = exhibit(Workspace(done), run)
    names = [stage.name for stage in found.stages]
    assert names[:5] == ["eval base", "train", "eval tuned", "compare", "export"]
    assert all(stage.whole and stage.finished for stage in found.stages)
    assert {"base", "tuned"} <= found.scores.keys() and len(found.scores["tuned"]["chrf"]["interval"]) == 2
    assert [step for step, _ in found.losses["training"]] == [1, 2, 3, 4, 5, 6] == [step for step, _ in found.rates]
    assert found.losses["validation"] and found.facts["loads as"] == f"checkpoints/{NAME}/"
    at = f"experiments/{NAME}/{run.name}/training_stats.json"
    assert found.files[at] == (done / at).stat().st_size
    final = f"checkpoints/{NAME}/{run.name}/final/"
    assert found.files[final] == sum(f.stat().st_size for f in run.final.iterdir())
    assert json.loads(json.dumps(found.as_json()))["run"] == run.name


def test_a_file_that_changed_is_seen(ran: Path) -> None:
    run = runs_of(ran)[0]
    edit(run.evaluation / "finetuned_model_evaluation.json", model="another")
    assert [s.name for s in exhibit(Workspace(ran), run).stages if not s.whole] == ["eval tuned"]


def test_warnings_of_the_logs_once_each(ran: Path) -> None:
    run = runs_of(ran)[0]
    line = "2026-01-01 00:00:00,000 WARNING the disk is slow\n"
    (run.evidence / "run_20260101_000000.log").write_text(line * 2 + "not a line\n", encoding="utf-8")
    edit(run.evaluation / "base_model_evaluation.json", notes=["no reference"])
    found = exhibit(Workspace(ran), run).warnings
    assert found.count("the disk is slow") == 1 and "base: no reference" in found


def test_a_damaged_run_is_shown_as_far_as_it_goes(ran: Path) -> None:
    run = another(ran, LATER)
    edit(run.evidence / "manifest.json", stages={"train": {"finished": "x"}, "compare": 7})
    (run.evidence / "training_stats.json").write_bytes(b"[]")
    found = exhibit(Workspace(ran), run)
    assert found.entry.status == "damaged" and not any(stage.whole for stage in found.stages)
    assert found.rates and found.facts["steps"] == 6
