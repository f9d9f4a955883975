"""dadeum.run.differences: only what differs; like is held against like."""

import json
from pathlib import Path
from typing import Any

from dadeum.run.differences import ABSENT, between
from dadeum.run.store import Run
from tests.run.lab import runs_of
from tests.run.several import LATER, another, edit


def change_scores(run: Run, change: Any) -> None:
    path = run.evaluation / "finetuned_model_evaluation.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")


def test_equal_runs_differ_in_nothing(ran: Path) -> None:
    found = between([runs_of(ran)[0], another(ran, LATER)])
    assert (found.settings, found.materials, found.versions, found.unlike) == ({}, {}, {}, {})
    assert found.scores["tuned"]["chrf"][0] == found.scores["tuned"]["chrf"][1]
    assert found.better["chrf"] and not found.better["perplexity"]


def test_what_differs_by_its_dotted_name(ran: Path) -> None:
    first, other = runs_of(ran)[0], another(ran, LATER)
    stats = json.loads((other.evidence / "training_stats.json").read_text(encoding="utf-8"))
    stats["experiment"]["train"]["seed"] = 7
    del stats["experiment"]["adapter"]["r"]
    edit(
        other.evidence / "training_stats.json",
        experiment=stats["experiment"],
        device="a GPU",
        versions=stats["versions"] | {"torch": "9"},
    )
    record = json.loads((other.evidence / "manifest.json").read_text(encoding="utf-8"))
    record["materials"]["data"]["rows.csv"] = "0" * 64
    edit(other.evidence / "manifest.json", materials=record["materials"])
    found = between([first, other])
    assert found.settings == {"train.seed": [42, 7], "adapter.r": [4, ABSENT]}
    assert list(found.versions) == ["device", "torch"] and found.versions["torch"][1] == "9"
    assert [values[1] for values in found.materials.values()] == ["0" * 64]
    assert json.loads(json.dumps(found.as_json()))["settings"]["train.seed"] == [42, 7]


def test_scores_of_unlike_things_are_said_to_be(ran: Path) -> None:
    first, signature, questions = runs_of(ran)[0], another(ran, LATER), another(ran, "20991231-235959-abcdef")
    change_scores(signature, lambda found: found["metrics"]["chrf"].update(signature="other"))
    change_scores(
        questions, lambda found: found["environment"].update(questions_sha256="other", decoding={"do_sample": 1})
    )
    assert list(between([first, signature]).unlike) == ["tuned: chrf"]
    unlike = between([first, questions]).unlike
    assert set(unlike.values()) == {"other questions, decoding settings"} and "tuned: exact_match" in unlike


def test_a_run_without_scores_leaves_a_gap(ran: Path) -> None:
    first, other = runs_of(ran)[0], another(ran, LATER)
    (other.evaluation / "finetuned_model_evaluation.json").write_bytes(b"{")
    found = between([first, other])
    assert found.scores["tuned"]["chrf"][1] is None and found.scores["tuned"]["chrf"][0] is not None
    assert not [name for name in found.unlike if name.startswith("tuned")]
