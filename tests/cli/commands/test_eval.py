"""`dadeum eval --model base|tuned`."""

from pathlib import Path

from tests.run.lab import NAME, cli, fine, runs_of, stale


def test_the_base_alone_is_not_trained(written: Path) -> None:
    said = fine(written, "eval", NAME, "--model", "base").out
    assert "▶ eval base" in said and "▶ train" not in said and "perplexity ↓" in said
    (run,) = runs_of(written)
    assert "base_model_evaluation.json" in said and not run.final.exists()
    assert stale(written) == ["train", "eval tuned", "compare", "export"]


def test_the_tuned_model(done: Path) -> None:
    said = fine(done, "eval", NAME).out
    assert "tiny · rows.csv" in said and "finetuned_model_evaluation.json" in said and "cut" in said
    assert "base · rows.csv" in fine(done, "eval", NAME, "-m", "base").out


def test_any_other_model_is_for_compare(done: Path) -> None:
    said = cli(done, "eval", NAME, "--model", "best")
    assert said.code == 2 and said.errors == [
        "error: --model: found 'best', expected base or tuned; `dadeum compare A B` takes any models"
    ]
