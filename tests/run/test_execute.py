"""The walk: everything once, what is stale again, and what a run says of itself when something fails."""

import json
from pathlib import Path

import pytest

from dadeum.core.artifact import read_json
from dadeum.run.execute import ALL, has_checkpoint, wanted
from tests.run.lab import (
    NAME,
    YAML,
    broken_at,
    cli,
    files_below,
    fine,
    finished_at,
    inside,
    lab_of,
    plan_of,
    runs_of,
    stale,
    whole_artifacts,
)
from tests.run.test_stages import change_a_byte

EVIDENCE = {
    "config.yaml",
    "plan.json",
    "metrics.jsonl",
    "training_stats.json",
    "manifest.json",
    "evaluation/base_model_evaluation.json",
    "evaluation/base_model_few_shot_evaluation.json",
    "evaluation/finetuned_model_evaluation.json",
    "evaluation/model_comparison_results.csv",
    "evaluation/comparison.html",
    "evaluation/comparison.json",
    "evaluation/comparison.md",
    "evaluation/tasks/general-text/base.json",
    "evaluation/tasks/general-text/tuned.json",
    "report.html",
}


def test_fifteen_lines_are_enough() -> None:
    assert len(YAML.splitlines()) <= 15 and "extends" not in YAML


def test_everything_is_made(done: Path) -> None:
    (run,) = runs_of(done)
    made = set(files_below(run.evidence))
    assert made >= EVIDENCE
    rest = made - EVIDENCE
    assert {name.split("_")[0] for name in rest} == {"run", "training"} and all(n.endswith(".log") for n in rest)
    assert run.record()["status"] == "finished" and run.record()["reason"] is None
    assert list(run.record()["stages"]) == ["eval base", "train", "eval tuned", "compare", "export", "report"]
    assert {f.name for f in run.checkpoints.iterdir()} == {"step-000004", "step-000006", "final", "merged"}
    assert (run.final / "adapter_model.safetensors").is_file() and (
        run.checkpoints / "merged/model.safetensors"
    ).is_file()
    lines = [json.loads(line) for line in (run.evidence / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2, 3, 4, 5, 6]
    whole_artifacts(done)


def test_the_plan_is_kept_as_it_was_made(done: Path) -> None:
    (run,) = runs_of(done)
    steps = read_json(run.evidence / "plan.json")
    assert [step["name"] for step in steps] == [step.name for step in plan_of(done).steps]
    assert steps[-1]["why"] == "not made yet" and steps[-1]["fingerprint"] == plan_of(done).step("report").fingerprint


def test_nothing_is_done_twice(ran: Path) -> None:
    before, times = files_below(ran), finished_at(ran)
    said = fine(ran, "run", NAME)
    assert "▶" not in said.out and said.out.count("✓") == 10
    assert files_below(ran) == before and finished_at(ran) == times


def test_changed_rows_are_done_again(ran: Path) -> None:
    change_a_byte(ran / "rows.csv")
    said = fine(ran, "run", NAME)
    assert "▶ preprocess: changed: rows.csv" in said.out and "▶ initialise" not in said.out
    assert len(runs_of(ran)) == 2 and stale(ran) == []


def test_another_training_takes_the_scores_of_the_base_over(ran: Path) -> None:
    old = runs_of(ran)[0]
    said = fine(ran, "run", NAME, "train.learning_rate=0.02")
    assert f"the base's scores are those of {old.name}" in said.out
    for name in ("preprocess", "format", "initialise"):
        assert f"▶ {name}" not in said.out
    new = next(run for run in runs_of(ran) if run.name != old.name)
    name = "base_model_evaluation.json"
    assert (new.evaluation / name).read_bytes() == (old.evaluation / name).read_bytes()
    assert new.record()["status"] == "finished"
    assert stale(ran) == [], "the first settings are still done"
    fine(ran, "run", NAME)
    assert plan_of(ran, "adapter.r=2").step("train").why == "changed: adapter.r", (
        "told against the last time, not the last run"
    )


@pytest.mark.parametrize(
    ("pattern", "again"),
    [
        ("data/processed/formatted-*/train.arrow", "format"),
        ("checkpoints/tiny/*/final/adapter_model.safetensors", "train"),
        ("checkpoints/tiny/*/merged/model.safetensors", "export"),
        ("experiments/tiny/*/evaluation/comparison.json", "compare"),
    ],
)
def test_what_is_lost_is_made_again_and_nothing_else(ran: Path, pattern: str, again: str) -> None:
    lost = next(ran.glob(pattern))
    before = lost.read_bytes()
    lost.unlink()
    said = fine(ran, "run", NAME)
    assert [line for line in said.out.splitlines() if line.startswith("▶")] == [
        f"▶ {again}: its result is gone or damaged"
    ]
    assert lost.read_bytes() == before and stale(ran) == []
    whole_artifacts(ran)


def test_goals_bring_what_they_need(done: Path) -> None:
    plan = plan_of(done)
    assert wanted(["format"], plan) == ["download", "preprocess", "format"]
    assert wanted(["eval base"], plan) == ["download", "preprocess", "format", "initialise", "eval base"]
    assert wanted(["train"], plan)[-1] == "train" and "eval base" not in wanted(["train"], plan)
    assert wanted(["export"], plan)[-1] == "export" and "compare" not in wanted(["export"], plan)
    assert wanted(ALL, plan) == [step.name for step in plan.steps]


def test_without_export_nothing_is_exported(written: Path) -> None:
    assert "export" not in [step.name for step in plan_of(written, "export=[]").steps]
    assert "export" in [step.name for step in plan_of(written, "export=[]", "output_dir=out").steps]


class TestResume:
    """A training that was cut after step 3; its checkpoint is that of step 2."""

    @pytest.fixture
    def cut(self, written: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        with monkeypatch.context() as patched:
            broken_at(patched, "train.step", 4, KeyboardInterrupt())
            said = cli(written, "train", NAME)
        assert (said.code, said.errors) == (130, ["error: stopped"])
        (run,) = runs_of(written)
        assert has_checkpoint(run) and run.record()["status"] == "stopped"
        return written

    def test_auto_goes_on(self, cut: Path) -> None:
        assert plan_of(cut).step("train").why == "begun, goes on"
        said = fine(cut, "train", NAME)
        assert "goes on after step 2" in said.out
        (run,) = runs_of(cut)
        assert run.record()["status"] == "finished" and run.record()["reason"] is None
        assert read_json(run.evidence / "training_stats.json")["optimizer_steps"] == 6

    def test_must_goes_on(self, cut: Path) -> None:
        assert "goes on after step 2" in fine(cut, "train", NAME, "--resume-mode", "must").out
        assert len(runs_of(cut)) == 1

    def test_never_starts_anew(self, cut: Path) -> None:
        said = fine(cut, "train", NAME, "--resume-mode", "never")
        assert "goes on" not in said.out
        old, new = runs_of(cut)
        assert has_checkpoint(old) and not old.final.exists() and new.final.is_dir()

    def test_asked_without_a_terminal_goes_on(self, cut: Path) -> None:
        assert "goes on after step 2" in fine(cut, "train", NAME, "--resume-mode=ask").out

    def test_other_settings_do_not_go_on(self, cut: Path) -> None:
        said = cli(cut, "train", NAME, "train.learning_rate=0.02", "--resume_mode", "must")
        assert said.code == 2 and "no checkpoint of these settings" in said.errors[0] and len(runs_of(cut)) == 1


def test_must_without_a_checkpoint(written: Path) -> None:
    said = cli(written, "train", NAME, "--resume-mode", "must")
    assert said.code == 2 and said.errors == [
        "error: tiny: no checkpoint of these settings to resume from; use --resume-mode auto"
    ]
    assert runs_of(written) == []


def test_never_trains_a_finished_run_anew(ran: Path) -> None:
    fine(ran, "train", NAME, "--resume-mode", "never")
    old, new = runs_of(ran)
    one, two = ((run.final / "adapter_model.safetensors").read_bytes() for run in (old, new))
    assert one == two, "the same settings give the same weights"
    assert fine(ran, "train", NAME, "--resume-mode", "must").code == 0


@pytest.mark.parametrize(
    ("point", "status", "code", "reason"),
    [
        ("evaluate.before_write", "failed", 1, "the disk melted"),
        ("train.step", "failed", 1, "the disk melted"),
        pytest.param("compare.before_write", "failed", 1, "the disk melted", marks=pytest.mark.slow),
        pytest.param("export.written", "failed", 1, "the disk melted", marks=pytest.mark.slow),
    ],
)
def test_a_failure_is_written_down_and_made_good(
    written: Path, monkeypatch: pytest.MonkeyPatch, point: str, status: str, code: int, reason: str
) -> None:
    with monkeypatch.context() as patched:
        broken_at(patched, point, 1, RuntimeError("the disk melted"))
        said = cli(written, "run", NAME)
    assert said.code == code and "a fault in dadeum (RuntimeError)" in said.errors[-1] and "✗" in said.out
    (run,) = runs_of(written)
    assert (run.record()["status"], run.record()["reason"]) == (status, reason)
    whole_artifacts(written)
    fine(written, "run", NAME)
    assert run.record()["status"] == "finished" and run.record()["reason"] is None and stale(written) == []


def test_the_saved_config_is_the_experiment(done: Path) -> None:
    from dadeum.config.load import load

    (run,) = runs_of(done)
    with inside(done):
        assert load(run.evidence / "config.yaml", root=done).experiment == lab_of(done).experiment
