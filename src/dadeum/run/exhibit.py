"""All that is shown of one run: facts, stages, scores, losses, files, warnings. Reads files only."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dadeum.core.errors import DadeumError
from dadeum.core.language import say
from dadeum.core.workspace import Workspace
from dadeum.evaluate.step import FILES
from dadeum.run.ledger import STATS, Entry, metric_lines, read_entry, read_object_or_none, series
from dadeum.run.removal import published
from dadeum.run.store import RECORD, Run

WARNING = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ (?:WARNING|ERROR) (.*)")
MOST_WARNINGS = 12


@dataclass(frozen=True)
class Stage:
    """A stage that was done; `whole`: its files are as it left them."""

    name: str
    finished: float | None
    seconds: float | None
    whole: bool


@dataclass(frozen=True)
class Facts:
    """What `runs show` draws."""

    entry: Entry
    facts: dict[str, Any]
    stages: list[Stage]
    scores: dict[str, dict[str, dict[str, Any]]]
    losses: dict[str, list[tuple[float, float]]]
    rates: list[tuple[float, float]]
    files: dict[str, int]
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            **self.entry.as_json(),
            **self.facts,
            "stages": [vars(stage) for stage in self.stages],
            "scores": self.scores,
            "losses": self.losses,
            "files": self.files,
            "warnings": self.warnings,
        }


def exhibit(workspace: Workspace, run: Run) -> Facts:
    """Read what there is; what is damaged is told among the warnings."""
    entry = read_entry(run)
    stats = read_object_or_none(run.evidence / STATS) or {}
    evaluations = {kind: read_object_or_none(run.evaluation / file) or {} for kind, file in FILES.items()}
    lines = metric_lines(run)
    facts = {
        **{key: entry.facts[key] for key in ("when", "base", "adapter", "seed")},
        "rows": stats.get("rows"),
        "steps": entry.facts["steps"],
        "loss": entry.facts["loss"],
        "best validation loss": entry.facts["validation_loss"],
        "seconds": stats.get("seconds"),
        "tokens per second": stats.get("tokens_per_second"),
        "peak memory": _memory(stats.get("peak_memory_bytes")),
        "device": stats.get("device"),
        "loads as": f"checkpoints/{run.experiment}/" if published(workspace, run.experiment) == run.name else None,
    }
    return Facts(
        entry,
        {key: value for key, value in facts.items() if value is not None},
        _stages(run, stats, evaluations),
        {kind: _metrics(found) for kind, found in evaluations.items() if _metrics(found)},
        {
            say("training", "학습"): series(lines, "loss"),
            say("validation", "검증"): series(lines, "validation_loss"),
        },
        series(lines, "learning_rate"),
        _files(workspace, run),
        _warnings(run, evaluations),
    )


def _memory(value: Any) -> str | None:
    return f"{value / 1e9:.2f} GB" if isinstance(value, int | float) else None


def _metrics(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    metrics = found.get("metrics")
    return {n: m for n, m in metrics.items() if isinstance(m, dict)} if isinstance(metrics, dict) else {}


def _stages(run: Run, stats: dict[str, Any], evaluations: dict[str, dict[str, Any]]) -> list[Stage]:
    record = read_object_or_none(run.evidence / RECORD) or {}
    stages = record.get("stages")
    took = {
        "train": stats.get("seconds"),
        "eval base": evaluations["base"].get("seconds"),
        "eval tuned": evaluations["tuned"].get("seconds"),
    }
    found = []
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        ended = stage.get("finished") if isinstance(stage, dict) else None
        try:
            whole = run.stage(name) is not None
        except (DadeumError, OSError, KeyError, TypeError, ValueError, AttributeError):  # a record that somebody edited
            whole = False
        found.append(Stage(name, ended if isinstance(ended, int | float) else None, took.get(name), whole))
    return sorted(found, key=lambda stage: stage.finished or 0.0)


def _files(workspace: Workspace, run: Run) -> dict[str, int]:
    """Each file of the evidence, and each folder of the weights, with its bytes."""
    found: dict[str, int] = {}
    for top, deep in ((run.evidence, True), (run.checkpoints, False)):
        for path in sorted(top.iterdir()) if top.is_dir() else ():
            if path.name.startswith("."):
                continue
            inside = sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]
            for file in inside if deep else []:
                found[_at(workspace, file)] = file.stat().st_size
            if not deep:
                found[_at(workspace, path) + ("/" if path.is_dir() else "")] = sum(f.stat().st_size for f in inside)
    return found


def _at(workspace: Workspace, path: Path) -> str:
    return path.relative_to(workspace.root).as_posix() if path.is_relative_to(workspace.root) else str(path)


def _warnings(run: Run, evaluations: dict[str, dict[str, Any]]) -> list[str]:
    """What the logs warned of, and what evaluations noted; each once."""
    found: list[str] = []
    for log in sorted(run.evidence.glob("*.log")):
        try:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        found += [match[1] for line in lines if (match := WARNING.fullmatch(line))]
    for kind, one in evaluations.items():
        notes = one.get("notes")
        found += [f"{kind}: {note}" for note in notes if isinstance(note, str)] if isinstance(notes, list) else []
    return list(dict.fromkeys(found))[:MOST_WARNINGS]
