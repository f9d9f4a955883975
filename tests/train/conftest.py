"""Formatted folders for the session."""

from pathlib import Path

import pytest

from tests.train.support import make_formatted, random_rows


@pytest.fixture(scope="session")
def formatted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random rows in the folder of the data stage; nothing writes into it."""
    return make_formatted(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def formatted_whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many rows as fill each step of eight."""
    return make_formatted(tmp_path_factory.mktemp("whole"), random_rows(24))
