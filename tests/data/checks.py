"""A check of small sources, or of real files, in one call."""

import tempfile
from pathlib import Path
from typing import Any

from dadeum.config.data import DataSettings
from dadeum.config.purpose import Purpose
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.data.check import Check
from dadeum.data.findings import Report, report
from dadeum.data.measure import Measure
from dadeum.data.render import Renderer
from dadeum.data.sources import kind_of
from dadeum.tokenizer.load import load_tokenizer
from tests.data.small import make_tokenizer


def check(
    root: Path, *sources: Any, purpose: Purpose | None = None, measure: Measure | None = None, **keys: Any
) -> Report:
    """What `dadeum data check` finds; a source is a file's name or the settings of one."""
    full = [s if isinstance(s, dict) else {"type": kind_of(Path(s)), "path": str(s)} for s in sources]
    data = DataSettings.model_validate({"sources": full, **keys})
    with tempfile.TemporaryFile("w+", encoding="utf-8") as spool:
        made = Check(data, purpose, Workspace(root), Silent(), spool, measure)
        made.read()
        return report(made)


def kinds(found: Report, level: str = "stop") -> list[str]:
    """The kinds of the findings of a level."""
    return [finding.kind for finding in found.findings if finding.level == level]


def small_measure(folder: Path) -> Measure:
    """With the small tokenizer and its ChatML template."""
    return Measure(Renderer(load_tokenizer(make_tokenizer(folder))), "small")
