"""The small workspaces."""

from tests.run.lab import done, ran, written

__all__ = ["done", "ran", "written"]
