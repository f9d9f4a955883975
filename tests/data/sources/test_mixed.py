"""How much of a source is taken: what may be said, and how faults are told."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.config.data import DataSettings
from dadeum.data.sources import SOURCES

PATHS = {"hub": {"name": "owner/set"}}


def of(kind: str, **keys: Any) -> Any:
    return SOURCES.settings(kind).model_validate({**PATHS.get(kind, {"path": "a"}), **keys})


@pytest.mark.parametrize("kind", SOURCES.names)
def test_every_source_takes_a_count_or_a_weight(kind: str) -> None:
    assert of(kind, rows=500).rows == 500
    assert of(kind, weight=2, repeat=True).weight == 2.0


@pytest.mark.parametrize("kind", SOURCES.names)
def test_a_source_that_is_taken_whole_is_written_as_before(kind: str) -> None:
    assert not {"rows", "weight", "repeat"} & set(of(kind).model_dump(mode="json"))
    assert {"rows": 5, "repeat": True}.items() <= of(kind, rows=5, repeat=True).model_dump(mode="json").items()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"rows": 5, "weight": 1}, "rows and weight are two ways to say how much is taken; keep one of them"),
        ({"repeat": True}, "repeat lets rows come again to reach rows or weight, and neither is there"),
        ({"rows": 5, "repeat": True, "part": "test"}, "repeat is for rows that are trained, and .* of the part test"),
        ({"weight": 1, "part": "validation"}, "weight is for rows that are trained, .* validation; say rows instead"),
        ({"rows": 0}, "greater than or equal to 1"),
        ({"weight": 0}, "greater than 0"),
        ({"weight": -1}, "greater than 0"),
        ({"weight": float("inf")}, "finite number"),
        ({"rows": 1.5}, "integer"),
    ],
)
def test_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        of("csv", **keys)


def test_a_weight_needs_another() -> None:
    alone = {"sources": [{"type": "csv", "path": "a"}, {"type": "csv", "path": "b", "weight": 2}]}
    with pytest.raises(ValidationError, match=r"sources\.1\.weight is a share beside other sources with a weight"):
        DataSettings.model_validate(alone)
