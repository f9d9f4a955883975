"""Rows that say the same as another."""

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import MissingExtra
from dadeum.core.workspace import Workspace
from dadeum.data.filters import FILTERS, duplicates
from dadeum.data.filters.duplicates import Settings
from tests.data.filters.sieves import gone, plain, reason, sift, talk

ROWS = [talk("질문 A", "답"), talk("질문  a", "답"), talk("질문 A", "답"), talk("질문 A", "답!"), talk("질문A", "답")]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [1, 2]),
        ({"by": "exact"}, [2]),
        ({"by": "normalised", "of": "question"}, [1, 2, 3]),
        ({"by": "exact", "of": "answer"}, [1, 2, 4]),
        ({"by": "near", "of": "question"}, [1, 2, 3, 4]),
        ({"by": "near", "threshold": 0.6}, [1, 2, 3, 4]),
    ],
)
def test_what_is_the_same(settings: dict[str, Any], expected: list[int]) -> None:
    assert gone(sift({"type": "duplicates", **settings}, ROWS)) == expected


def test_the_reason_names_the_row_that_stays() -> None:
    assert reason(sift({"type": "duplicates"}, ROWS)[2]) == "says the same as rows:0"
    assert reason(sift({"type": "duplicates", "by": "near"}, ROWS)[2]) == "says nearly the same as rows:0"


@pytest.mark.parametrize("by", ["exact", "normalised", "near"])
def test_the_test_part_keeps_its_row_whichever_is_read_first(by: str) -> None:
    rows = [talk("같은 질문", "같은 답")] * 4
    settings = {"type": "duplicates", "by": by}
    found = sift(settings, rows, ["train", "validation", "test", None])
    assert gone(found) == [0, 1, 3] and "rows:2" in reason(found[0])
    assert gone(sift(settings, rows, ["train", "validation", None, None])) == [0, 2, 3]


def test_who_says_it_counts() -> None:
    """As with data.duplicates: the same texts in other roles are another row."""
    assert gone(sift({"type": "duplicates"}, [plain("질문\n답"), talk("질문", "답")])) == []


def test_without_datasketch_the_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    near = FILTERS.validate({"type": "duplicates", "by": "near"})
    assert isinstance(near, Settings)
    assert duplicates.inputs(near, Workspace(Path())) == {
        "datasketch version": importlib.metadata.version("datasketch")
    }
    monkeypatch.setattr(importlib.metadata, "version", absent)
    for asked in (
        lambda: duplicates.inputs(near, Workspace(Path())),
        lambda: sift({"type": "duplicates", "by": "near"}, []),
    ):
        with pytest.raises(MissingExtra, match=r'datasketch, which is not installed: pip install "dadeum\[near\]"'):
            asked()
    assert gone(sift({"type": "duplicates"}, ROWS)) == [1, 2]
