"""The small workspaces."""

from tests.run.lab import done, from_hub, ran, written

__all__ = ["done", "from_hub", "ran", "written"]
