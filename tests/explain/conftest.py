"""The formatted rows of the trainings."""

from tests.train.conftest import formatted

__all__ = ["formatted"]
