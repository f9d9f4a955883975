"""The sentence that says whether it got better: right in each case, and honest where nothing can be said."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.report.evidence import Evidence, gather
from dadeum.report.verdict import verdict
from tests.report.made_up import comparison, metric, run


def found(tmp_path: Path, *metrics: dict[str, Any], status: str = "finished", **more: Any) -> Evidence:
    files = {"evaluation/comparison.json": comparison(*metrics, **more)} if metrics or more else {}
    return gather(run(tmp_path, files, status=status))


def test_better(tmp_path: Path) -> None:
    told = verdict(found(tmp_path, metric("perplexity", 9, 4, higher=False), metric("rougeL", 0.3, 0.5)))
    assert told.mark == "yes"
    assert told.sentences[0] == (
        "Better than the base: rougeL went from 0.3 to 0.5 (+0.2, 95 % interval [+0.15, +0.25] over 10 test rows)."
    )
    assert told.sentences[1] == "2 of 2 metrics are clearly better, none is clearly worse."


def test_worse(tmp_path: Path) -> None:
    told = verdict(found(tmp_path, metric("perplexity", 4, 9, higher=False)))
    assert told.mark == "no" and told.sentences[0].startswith("Worse than the base: perplexity went from 4 to 9 (+5")


def test_unclear(tmp_path: Path) -> None:
    told = verdict(found(tmp_path, metric("rougeL", 0.3, 0.31), metric("chrf", 0.5, 0.2)))
    assert told.mark == "open" and told.sentences[0].startswith("No clear difference from the base: rougeL")
    assert told.sentences[1] == "0 of 2 metrics are clearly better, 1 unclear, 1 clearly worse."


def test_what_it_cost_elsewhere_is_said(tmp_path: Path) -> None:
    task = {"task": "general-text", "metric": "bits_per_byte", "base": 1.1, "tuned": 1.5}
    for word, sentence in (
        ("worse", "The cost elsewhere: general-text bits_per_byte 1.1 → 1.5."),
        ("better", "Elsewhere nothing was clearly lost."),
    ):
        told = verdict(found(tmp_path, metric("rougeL", 0.3, 0.5), tasks=[{**task, "verdict": word}]))
        assert told.sentences[-1] == sentence


def test_what_is_alike_in_all_draws_is_not_clear(tmp_path: Path) -> None:
    row = metric("rougeL", 0.3, 0.5)
    row["differences"]["tuned"]["clear"] = False
    assert verdict(found(tmp_path, row)).mark == "open"


def test_few_rows_are_no_proof(tmp_path: Path) -> None:
    row = metric("rougeL", 0.3, 0.5)
    row["differences"]["tuned"]["n"] = 4
    told = verdict(found(tmp_path, row))
    assert told.mark == "open" and told.sentences[1] == "But 4 test rows are too few to be sure of it."


def test_a_metric_of_which_no_way_is_better_says_nothing(tmp_path: Path) -> None:
    told = verdict(found(tmp_path, metric("length_ratio", 0.5, 0.9, higher_is_better=None), metric("chrf", 0.3, 0.5)))
    assert told.mark == "yes" and "chrf went" in told.sentences[0] and len(told.sentences) == 1


@pytest.mark.parametrize(
    ("status", "mark", "sentence"),
    [
        ("failed", "no", "This run failed: loss nan"),
        ("stopped", "open", "This run was stopped: loss nan"),
        ("started", "open", "This run has not ended yet."),
    ],
)
def test_nothing_was_measured(tmp_path: Path, status: str, mark: str, sentence: str) -> None:
    told = verdict(gather(run(tmp_path, status=status, reason="loss nan")))
    assert (told.mark, told.sentences) == (mark, (sentence,))


def test_trained_and_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = gather(run(tmp_path))
    monkeypatch.setattr(Evidence, "trained", True)
    assert "`dadeum run 실험` scores base and tuned model" in verdict(evidence).sentences[0]
    evidence.statistics = {"parts": {"train": {"rows": 3}}}
    assert "there was nothing to measure on" in verdict(evidence).sentences[0]


def test_a_damaged_comparison_is_not_told_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = run(tmp_path, {"evaluation/comparison.json": comparison(metric("rougeL", 0.3, 0.5))})
    (place.evidence / "evaluation" / "comparison.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(Evidence, "trained", True)
    assert "the comparison is damaged: `dadeum run 실험` makes it again" in verdict(gather(place)).sentences[0]


def test_korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    told = verdict(found(tmp_path, metric("rougeL", 0.3, 0.5)))
    assert told.sentences[0].startswith("기본 모델보다 나아졌습니다: rougeL 0.3 → 0.5")
