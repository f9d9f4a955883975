"""`dadeum runs list|show|compare|rm`."""

import json
from pathlib import Path

from dadeum.core.lock import locked
from tests.run.lab import NAME, cli, fine, runs_of
from tests.run.several import LAST, LATER, another, edit


def test_list(ran: Path) -> None:
    another(ran, LATER, status="failed", reason="the memory ran out")
    (another(ran, LAST).evidence / "manifest.json").write_bytes(b"{")
    first = runs_of(ran)[0].name
    said = fine(ran, "runs", "list").out
    assert said.index(first) < said.index(LATER) < said.index(LAST)
    assert "the memory ran out" in said and "damaged: manifest.json: cannot be read" in said
    found = json.loads(fine(ran, "runs", "list", "--json").out)
    assert [(run["run"], run["status"]) for run in found] == [(first, "finished"), (LATER, "failed"), (LAST, "damaged")]
    found = json.loads(fine(ran, "runs", "list", "--json", "--where", "status!=damaged", "--sort", "when", "-r").out)
    assert [run["run"] for run in found] == [LATER, first]
    assert "none of the 3 runs is so" in fine(ran, "runs", "list", "--where", "status=stopped").out
    said = cli(ran, "runs", "list", "--sort", "los")
    assert said.code == 2 and said.errors == [
        "error: --sort: found 'los', expected a column, a metric or a setting that a run has; did you mean 'loss'?"
    ]


def test_an_empty_workspace(tmp_path: Path) -> None:
    assert "no run in this workspace yet" in fine(tmp_path, "runs", "list").out
    assert fine(tmp_path, "runs", "list", "--json").out.strip() == "[]"
    assert cli(tmp_path, "runs", "show").code == 2
    assert not list(tmp_path.iterdir())


def test_show(done: Path) -> None:
    run = runs_of(done)[0]
    said = fine(done, "runs", "show", NAME).out
    for part in (
        run.name,
        "lora r4",
        "eval tuned",
        "exact_match",
        "learning rate",
        "training_stats.json",
        "a training",
    ):
        assert part in said, part
    assert json.loads(fine(done, "runs", "show", "--json").out)["steps"] == 6


def test_show_of_a_damaged_run(ran: Path) -> None:
    run = another(ran, LATER)
    (run.evidence / "manifest.json").write_bytes(b"\xff\x00")
    (run.evaluation / "finetuned_model_evaluation.json").write_bytes(b"[1")
    said = fine(ran, "runs", "show", LATER).out
    assert (
        "damaged: manifest.json: cannot be read" in said and "finetuned_model_evaluation.json: cannot be read" in said
    )


def test_compare(ran: Path) -> None:
    other = another(ran, LATER)
    stats = json.loads((other.evidence / "training_stats.json").read_text(encoding="utf-8"))
    stats["experiment"]["train"]["learning_rate"] = 0.5
    edit(other.evidence / "training_stats.json", experiment=stats["experiment"])
    first = runs_of(ran)[0].name
    said = fine(ran, "runs", "compare", first, LATER).out
    assert "train.learning_rate" in said and "0.5" in said and "train.seed" not in said
    assert "Materials that differ: none" in said and "loss" in said
    found = json.loads(fine(ran, "runs", "compare", first, LATER, "--json").out)
    assert found["settings"] == {"train.learning_rate": [0.01, 0.5]} and found["not_comparable"] == {}
    said = cli(ran, "runs", "compare", first, first)
    assert said.code == 2 and said.errors == ["error: found 1 run, expected two or more unlike ones"]


def test_rm_needs_yes_without_a_terminal(ran: Path) -> None:
    another(ran, LATER)
    said = cli(ran, "runs", "rm", LATER)
    assert said.code == 2 and "needs --yes" in said.errors[0] and len(runs_of(ran)) == 2
    said = fine(ran, "runs", "rm", LATER, "--yes")
    assert f"removed {NAME}/{LATER}" in said.out and len(runs_of(ran)) == 1


def test_rm_tells_what_becomes_of_the_published_model(ran: Path) -> None:
    first = runs_of(ran)[0].name
    another(ran, LATER)
    said = fine(ran, "runs", "rm", first, "-y").out
    assert f"checkpoints/{NAME}/ is of this run; it will be that of {LATER}" in said
    assert f"no model '{NAME}' will be left" in fine(ran, "runs", "rm", NAME, "-y").out
    assert runs_of(ran) == []


def test_rm_checks_all_before_any_goes(ran: Path) -> None:
    later = another(ran, LATER)
    with locked(later.evidence):
        said = cli(ran, "runs", "rm", runs_of(ran)[0].name, LATER, "--yes")
    assert said.code == 2 and "in use by process" in said.errors[0] and len(runs_of(ran)) == 2
    assert cli(ran, "runs", "rm", "nobody", "--yes").code == 2
