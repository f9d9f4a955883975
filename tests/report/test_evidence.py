"""A run's files read with care: what is absent, torn, foreign or damaged is told in a sentence, and the rest is there."""

from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.report.evidence import changed, gather, guarded
from tests.report.made_up import STATS, lines, run, settings, whole


def test_a_whole_run(tmp_path: Path) -> None:
    found = gather(whole(tmp_path))
    assert found.damaged == [] and found.status == "finished" and not found.trained
    assert set(found.evaluations) == {"base", "tuned"} and found.stats == STATS
    assert found.curves is not None and found.curves.lines == 21
    assert found.statistics is None, "the data are gone"


def test_no_run_at_all(tmp_path: Path) -> None:
    place = run(tmp_path)
    (place.evidence / "manifest.json").unlink()
    with pytest.raises(ArtifactError, match=r"holds no run \(manifest.json is not there\)"):
        gather(place)
    (place.evidence / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"manifest\.json: cannot be read as JSON"):
        gather(place)
    (place.evidence / "manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ArtifactError, match="found list, expected a JSON object"):
        gather(place)


def test_each_damaged_file_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    place = whole(tmp_path)
    (place.evidence / "evaluation" / "comparison.json").write_text('{"models": [', encoding="utf-8")
    (place.evidence / "training_stats.json").write_text("[1]", encoding="utf-8")
    (place.evidence / "metrics.jsonl").write_text(lines(5) + '{"step": 6, "lo', encoding="utf-8")
    (place.evidence / "config.yaml").write_bytes(b"\xff\xfe")
    found = gather(place)
    told = "\n".join(found.damaged)
    assert len(found.damaged) == 4
    for name in ("comparison.json", "training_stats.json", "1 of 7 lines are torn", "config.yaml"):
        assert name in told
    assert found.comparison is None and found.stats is None and set(found.evaluations) == {"base", "tuned"}


def test_warnings_of_the_logs_each_once(tmp_path: Path) -> None:
    place = run(
        tmp_path, {"run_20260101_000000.log": "2026-01-01 INFO all well\n" + "2026-01-01 WARNING mind this\n" * 3}
    )
    (place.evidence / "training_20260101_000001.log").write_bytes(b"\xff 2026-01-01 WARNING and that\n")
    assert gather(place).warnings == ("mind this", "and that")


def test_what_differs_from_the_defaults() -> None:
    told = changed(
        settings(
            train={"learning_rate": 0.01, "optim": {"type": "adamw", "weight_decay": 0.1}}, adapter={"type": "lora"}
        )
    )
    assert ("train.learning_rate", 0.01, 0.0002) in told and ("train.optim.weight_decay", 0.1, 0.0) in told
    assert {key for key, _, _ in told} == {"train.learning_rate", "train.optim.weight_decay"}


def test_nothing_differs_from_the_defaults() -> None:
    assert changed(settings()) == []


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("y"), ZeroDivisionError()])
def test_a_section_of_unfit_evidence_is_told(tmp_path: Path, error: Exception) -> None:
    found = gather(run(tmp_path))

    def build() -> Any:
        raise error

    assert guarded(found, "the scores", build) is None
    assert "'the scores' cannot be shown" in found.damaged[0] and type(error).__name__ in found.damaged[0]
    assert guarded(found, "x", lambda: 3) == 3
