"""`dadeum eval --model base|tuned`."""

from pathlib import Path

import pytest

from tests.run.lab import NAME, cli, fine, runs_of, stale


def test_the_base_alone_is_not_trained(written: Path) -> None:
    said = fine(written, "eval", NAME, "--model", "base").out
    assert "▶ eval base" in said and "▶ train" not in said and "perplexity ↓" in said
    (run,) = runs_of(written)
    assert "base_model_evaluation.json" in said and not run.final.exists()
    assert stale(written) == ["train", "eval tuned", "compare", "export", "report"]


def test_the_tuned_model(done: Path) -> None:
    said = fine(done, "eval", NAME).out
    assert "tiny · rows.csv" in said and "finetuned_model_evaluation.json" in said and "cut" in said
    assert "base · rows.csv" in fine(done, "eval", NAME, "-m", "base").out


def test_any_other_model_is_for_compare(done: Path) -> None:
    said = cli(done, "eval", NAME, "--model", "best")
    assert said.code == 2 and said.errors == [
        "error: --model: found 'best', expected base or tuned; `dadeum compare A B` takes any models, and so does --task NAME"
    ]


def test_self_test_shows_metrics_at_work(written: Path) -> None:
    said = fine(written, "eval", "--self-test", "exact_match", "mae").out
    for word in (
        "exact_match ↑ (0-1)",
        "mae ↓",
        "one particle more",
        "✓",
        "exact_match|case:mixed",
        "values are as worked",
    ):
        assert word in said
    assert "rouge" not in said and "✗" not in said
    assert "exact_match" in fine(written, "eval", "exact_match", "--self-test").out


def test_a_metric_that_is_wrong_fails_the_self_test(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dadeum.evaluate.metrics import METRICS

    monkeypatch.setattr(METRICS.member("exact_match"), "combine", lambda sums: sums[..., 0] / sums[..., 1] / 2)
    said = cli(written, "eval", "--self-test", "exact_match")
    assert said.code == 1 and "✗ wrong" in said.out


def test_who_names_nothing_is_told_what_to_name(written: Path) -> None:
    said = cli(written, "eval")
    assert said.code == 2 and said.errors == ["error: eval: expected an experiment, --task NAME, or --self-test"]
    said = cli(written, "eval", "--self-test", "rogue")
    assert said.code == 2 and "found 'rogue', expected one of" in said.errors[0]


def test_a_metric_that_cannot_run_is_refused_before_anything_is_made(written: Path) -> None:
    said = cli(written, "eval", NAME, "evaluate.metrics=[exact_match, {type: bertscore, model: ./absent}]")
    assert said.code == 2 and "absent: no such folder" in said.errors[0]
    assert not (written / "data" / "processed").exists() and runs_of(written) == []


def test_any_model_on_tasks(ran: Path) -> None:
    said = fine(ran, "eval", "--task", "general-text", "-m", NAME, "--limit", "5", "-o", "scores").out
    assert "bits_per_byte ↓" in said and "±" in said and "written:" in said
    assert {f.name for f in (ran / "scores").iterdir() if f.suffix == ".json"} == {"general-text.json"}
    said = fine(ran, "eval", NAME, "-t", "general-text", "--model", "base", "--limit", "5", "-o", "of-base").out
    assert "▶ train" not in said and (ran / "of-base/general-text.json").is_file()


def test_what_does_not_go_together(ran: Path) -> None:
    for words, told in (
        ((NAME, "--limit", "3"), "go with --task"),
        ((NAME, "--task", "general-text", "-m", "other"), "--model MODEL alone"),
        (("--task", "general-text", "-m", "base"), "EXPERIMENT with --model base or tuned"),
        (("--task", "general-txt"), "did you mean 'general-text'"),
    ):
        said = cli(ran, "eval", *words)
        assert said.code == 2 and told in said.errors[0], words
