"""More runs for a workspace that has one: copies of it under other names, with what differs."""

import json
import shutil
from pathlib import Path
from typing import Any

from dadeum.run.store import Run, open_run
from tests.run.lab import NAME, runs_of


def edit(path: Path, **changes: Any) -> None:
    """Set keys of a JSON object."""
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def another(root: Path, name: str, experiment: str = NAME, **record: Any) -> Run:
    """The first run of the workspace once more, under another name (and experiment)."""
    from dadeum.core.workspace import Workspace

    first = runs_of(root)[0]
    run = open_run(Workspace(root), experiment, name)
    shutil.copytree(first.evidence, run.evidence)
    shutil.copytree(first.checkpoints, run.checkpoints)
    edit(run.evidence / "manifest.json", run=name, experiment=experiment, **record)
    return run


LATER, LAST = "20991231-235958-abcdef", "20991231-235959-abcdef"
