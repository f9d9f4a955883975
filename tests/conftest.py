"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

NO_MATERIAL = "no real material: set DADEUM_DATA to its folder"


@pytest.fixture(scope="session")
def material() -> Path:
    """Folder of the real data, tokenizers and weights; the test is skipped where it is absent."""
    place = os.environ.get("DADEUM_DATA")
    folder = Path(place) if place else None
    if folder is None or not folder.is_dir():
        if os.environ.get("DADEUM_REQUIRE_DATA") == "1":
            pytest.fail(NO_MATERIAL)
        pytest.skip(NO_MATERIAL)
    return folder


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages in English, whatever the machine speaks."""
    monkeypatch.setenv("DADEUM_LANG", "en")
