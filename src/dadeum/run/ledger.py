"""What there is of every run of a workspace: whole, begun or damaged. Reads files only; one that cannot be read is told, not raised."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from dadeum.config.yaml import read_yaml
from dadeum.core.artifact import read_manifest
from dadeum.core.errors import ArtifactError, DadeumError
from dadeum.core.language import say
from dadeum.core.lock import held
from dadeum.core.near import hint, nearest
from dadeum.core.workspace import Workspace
from dadeum.evaluate.step import FILES
from dadeum.run.store import RECORD, Run
from dadeum.train.job import METRICS

NAMED = re.compile(r"(\d{8}-\d{6})-[0-9a-f]{6}(-\d+)?")
STATUSES = ("started", "running", "stopped", "failed", "finished", "damaged")
CONFIG, STATS = "config.yaml", "training_stats.json"
# Of these the first that a run has are shown without being asked for.
MAIN = (
    "bits_per_byte",
    "rougeL",
    "rougeL_char",
    "exact_match",
    "f1_char",
    "f1",
    "accuracy",
    "macro_f1",
    "pair_accuracy",
    "pearson",
    "chrf",
    "perplexity",
)


@dataclass(frozen=True)
class Entry:
    """One run as lists show it; `reason` says why it is damaged, failed or stopped."""

    run: Run
    status: str
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints of it; the configuration stands in its file."""
        return {
            "experiment": self.run.experiment,
            "run": self.run.name,
            "status": self.status,
            "reason": self.reason,
            **self.facts,
            "scores": self.scores,
        }


def run_folders(workspace: Workspace) -> list[Run]:
    """Every folder of a run, oldest first: by its record, or by its name where the record or the evidence is gone."""
    found: dict[tuple[str, str], None] = {}
    for top in ("experiments", "checkpoints"):
        root = workspace.root / top
        for folder in sorted(_folders(root)):
            for one in sorted(_folders(folder)):
                if NAMED.fullmatch(one.name) or (top == "experiments" and (one / RECORD).is_file()):
                    found[folder.name, one.name] = None
    root = workspace.root
    runs = [Run(e, n, root / "checkpoints" / e / n, root / "experiments" / e / n) for e, n in found]
    return sorted(runs, key=lambda run: (begun(run), run.name))


def _folders(place: Path) -> Iterator[Path]:
    try:
        yield from (f for f in place.iterdir() if f.is_dir() and not f.name.startswith("."))
    except OSError:
        return


def begun(run: Run) -> float:
    """When the run was made: its name says so; else the time of its folder."""
    named = NAMED.fullmatch(run.name)
    try:
        if named:
            return time.mktime(time.strptime(named[1], "%Y%m%d-%H%M%S"))
        return next(f.stat().st_mtime for f in (run.evidence, run.checkpoints) if f.exists())
    except (ValueError, OverflowError, OSError, StopIteration):
        return 0.0


def entries(workspace: Workspace) -> list[Entry]:
    """All runs, oldest first."""
    return [read_entry(run) for run in run_folders(workspace)]


class _Damaged(Exception):
    """Why a run cannot be shown whole."""


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none. Raises _Damaged with one clause."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _Damaged(say(f"{path.name}: cannot be read ({error})", f"{path.name}: 읽을 수 없음 ({error})")) from None
    if not isinstance(found, dict):
        raise _Damaged(say(f"{path.name}: is no JSON object", f"{path.name}: JSON 객체가 아님"))
    return found


def read_object_or_none(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file, or None where there is none or it is damaged."""
    try:
        return read_object(path) or None
    except _Damaged:
        return None


def read_entry(run: Run) -> Entry:
    """All that lists need, each file as far as it can be read."""
    reasons: list[str] = []

    def part(path: Path) -> dict[str, Any]:
        try:
            return read_object(path)
        except _Damaged as error:
            reasons.append(str(error))
            return {}

    record = part(run.evidence / RECORD)
    stats = part(run.evidence / STATS)
    tuned = part(run.evaluation / FILES["tuned"])
    status, reason = _status(run, record)
    if status == "damaged" and not reasons:
        reasons.append(reason)
    config = _config(run, stats, reasons)
    facts = _facts(run, record, stats, config)
    scores = _scores(tuned, reasons)
    if reasons:
        return Entry(run, "damaged", "; ".join(reasons), facts, scores, config)
    return Entry(run, status, reason, facts, scores, config)


def _status(run: Run, record: dict[str, Any]) -> tuple[str, str]:
    said, stages = record.get("status"), record.get("stages")
    reason = record.get("reason")
    if not record:
        return "damaged", say(f"{RECORD}: absent", f"{RECORD}: 없음")
    if said not in STATUSES or not isinstance(stages, dict) or not all(isinstance(s, dict) for s in stages.values()):
        return "damaged", say(f"{RECORD}: is no record of a run", f"{RECORD}: 실행의 기록이 아님")
    if said == "finished" and read_manifest(run.final) is None:
        return "damaged", say("final/: the weights are gone or incomplete", "final/: 가중치가 없거나 완전하지 않음")
    if said == "started":
        if held(run.evidence):
            return "running", ""
        return "started", say("no process works on it: it was killed", "작업하는 프로세스가 없음: 강제로 끝남")
    return said, reason if isinstance(reason, str) else ""


def _config(run: Run, stats: dict[str, Any], reasons: list[str]) -> dict[str, Any]:
    """The settings: from the statistics where there are, which is quicker, else from the file."""
    found = stats.get("experiment")
    if isinstance(found, dict):
        return found
    try:
        return read_config(run)
    except DadeumError as error:
        reasons.append(str(error))
        return {}


def read_config(run: Run) -> dict[str, Any]:
    """The run's own `config.yaml`; empty where there is none. Raises ConfigError."""
    path = run.evidence / CONFIG
    found = read_yaml(path, path.name).value if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def metric_lines(run: Run) -> list[dict[str, Any]]:
    """The whole lines of `metrics.jsonl`; a line that is none is left out."""
    try:
        text = (run.evidence / METRICS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for row in text.splitlines():
        try:
            line = json.loads(row)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("step"), int):
            found.append(line)
    return found


def series(lines: list[dict[str, Any]], key: str) -> list[tuple[float, float]]:
    """(step, value) of one key of `metrics.jsonl`."""
    return [(line["step"], value) for line in lines if _number(value := line.get(key))]


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _facts(run: Run, record: dict[str, Any], stats: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    train, adapter, model = (
        s if isinstance(s := config.get(key), dict) else {} for key in ("train", "adapter", "model")
    )
    # The measurements of a long run are many: they are read where nothing else tells.
    lines = [] if {"optimizer_steps", "final_loss"} <= set(stats) else metric_lines(run)
    losses = series(lines, "loss")
    rank = adapter.get("r")
    base = stats.get("model") or model.get("name_or_path") or (model.get("init") and f"init {model['init']}")
    return {
        "when": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(begun(run))),
        "steps": stats.get("optimizer_steps", lines[-1]["step"] if lines else None),
        "loss": stats.get("final_loss", losses[-1][1] if losses else None),
        "validation_loss": stats.get("best_validation_loss"),
        "seconds": stats.get("seconds"),
        "seed": train.get("seed"),
        "beside": bool(record.get("beside", False)),
        "adapter": f"{adapter['type']}{f' r{rank}' if rank else ''}" if adapter.get("type") else None,
        "base": base if isinstance(base, str) else None,
    }


def _scores(tuned: dict[str, Any], reasons: list[str]) -> dict[str, float]:
    metrics = tuned.get("metrics", {})
    found = {}
    for name, metric in metrics.items() if isinstance(metrics, dict) else ():
        value = metric.get("value") if isinstance(metric, dict) else None
        if not _number(value):
            reasons.append(say(f"{FILES['tuned']}: {name} has no value", f"{FILES['tuned']}: {name}의 값이 없음"))
            continue
        found[name] = value
    return found


def find_run(workspace: Workspace, text: str | None, *, finished: bool = False) -> Run:
    """The run that RUN means: its id, the unique beginning of one, its folder, or an experiment (its newest result).

    Nothing: the newest of all. With `finished`, experiments and nothing mean the newest that is finished.
    Raises ArtifactError: none, several, or unknown, with the nearest name.
    """
    there = run_folders(workspace)
    if text is None:
        return _newest(there, None, finished)
    name = Path(text).stem if text.endswith((".yaml", ".yml")) else text.rstrip("/") or text
    path = Path(name).relative_to(workspace.root) if Path(name).is_relative_to(workspace.root) else Path(name)
    *within, last = [part for part in path.parts if part not in ("experiments", "checkpoints")] or [name]
    close = [run for run in there if run.name == last and within in ([], [run.experiment])]
    if not close and not within:
        of = [run for run in there if run.experiment == last]
        if of:
            return _newest(of, last, finished)
        close = [run for run in there if run.name.startswith(last)]
    if len(close) == 1:
        return close[0]
    if close:
        shown = ", ".join(f"{run.experiment}/{run.name}" for run in close[:4]) + (", …" if len(close) > 4 else "")
        raise ArtifactError(
            say(
                f"{text}: {len(close)} runs begin so ({shown}); write more of the name",
                f"{text}: 이렇게 시작하는 실행이 {len(close)}개입니다 ({shown}). 이름을 더 적으세요",
            )
        )
    near = hint(nearest(name, {n for run in there for n in (run.experiment, run.name)}))
    raise ArtifactError(
        say(
            f"{text}: no such run or experiment{near}; `dadeum runs list` shows them",
            f"{text}: 그런 실행이나 실험이 없습니다{near}. `dadeum runs list`에 목록이 있습니다",
        )
    )


def _newest(there: list[Run], experiment: str | None, finished: bool) -> Run:
    fit = [run for run in reversed(there) if not finished or read_manifest(run.final) is not None]
    # Of trainings with several seeds the first one's is the result; the others stand beside it.
    for run in sorted(fit, key=lambda run: bool((read_object_or_none(run.evidence / RECORD) or {}).get("beside"))):
        return run
    where = f"{experiment}: " if experiment else ""
    if finished and there:
        raise ArtifactError(
            say(
                f"{where}no run is finished yet; `dadeum run` goes on",
                f"{where}끝난 실행이 없습니다. `dadeum run`으로 이어서 하세요",
            )
        )
    raise ArtifactError(
        say(
            f"{where}no run in this workspace yet; start one: dadeum run EXPERIMENT",
            f"{where}이 작업 폴더에는 아직 실행이 없습니다. 시작하기: dadeum run 실험",
        )
    )
