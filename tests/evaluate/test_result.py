"""An evaluation on disk is whole, and is read back as it was."""

from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.evaluate.result import EvaluationResult

RESULT = EvaluationResult(
    "m", "d", {"x": {"value": 0.1 + 0.2}}, [{"statistics": {"x": [1 / 3, 1.0]}}], {"seed": 1}, {}, ["한글"], 2.5
)


def test_round_trip_to_the_last_bit(tmp_path: Path) -> None:
    assert EvaluationResult.read(RESULT.write(tmp_path / "a" / "x.json")) == RESULT


def test_what_is_no_number_is_not_written(tmp_path: Path) -> None:
    spoilt = EvaluationResult("m", "d", {"x": {"value": float("nan")}}, [], {})
    with pytest.raises(ValueError, match="Out of range"):
        spoilt.write(tmp_path / "x.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ['{"score": 1}', "[]", "{"])
def test_a_foreign_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"x\.json"):
        EvaluationResult.read(tmp_path / "x.json")
