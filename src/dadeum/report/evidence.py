"""What a run left, read with care: what is not there is None, what is damaged is told, and the rest is still shown."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dadeum.core.artifact import read_json, read_manifest
from dadeum.core.errors import ArtifactError, ConfigError
from dadeum.core.language import say
from dadeum.evaluate.report import JSON as COMPARISON
from dadeum.evaluate.step import FILES
from dadeum.report.curves import Curves, read_curves
from dadeum.train.job import METRICS, STATISTICS

if TYPE_CHECKING:
    from dadeum.config.experiment import Experiment
    from dadeum.config.purpose import Purpose

CONFIG = "config.yaml"
RECORD = "manifest.json"
LISTED = 20  # warnings that are shown
LOGS = ("run_*.log", "training_*.log")


@dataclass(frozen=True)
class Place:
    """Where a run lies, and what its settings say; `None` of what is not known."""

    experiment: str
    run: str
    root: Path
    evidence: Path
    checkpoints: Path
    settings: "Experiment | None" = None
    purpose: "Purpose | None" = None
    unread: str = ""  # why the settings are not known


@dataclass
class Evidence:
    """All that a report shows."""

    place: Place
    record: dict[str, Any]
    stats: dict[str, Any] | None = None
    curves: Curves | None = None
    comparison: dict[str, Any] | None = None
    evaluations: dict[str, dict[str, Any]] = field(default_factory=dict)  # by kind: base, base_few_shot, tuned
    data: dict[str, Any] | None = None  # what the stage preprocess counted
    statistics: dict[str, Any] | None = None  # what the stage format counted
    preprocessed: Path | None = None
    formatted: Path | None = None
    config: str = ""
    warnings: tuple[str, ...] = ()
    damaged: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """started, finished, failed, stopped."""
        return str(self.record.get("status", "unknown"))

    @property
    def trained(self) -> bool:
        """Whether the final weights are whole."""
        return read_manifest(self.place.checkpoints / "final") is not None

    @property
    def without_questions(self) -> bool:
        """Whether the data have no test rows to ask."""
        return mapping(mapping(mapping(self.statistics).get("parts")).get("test")).get("rows") in (0, None) and bool(
            self.statistics
        )

    @property
    def headed(self) -> bool:
        """Whether the model says labels rather than text."""
        purpose = self.place.purpose
        return purpose is not None and bool(purpose.targets)


def gather(place: Place) -> Evidence:
    """Read it. Raises ArtifactError where the folder holds no run at all, or its record is damaged."""
    record = _object(place.evidence / RECORD)
    if record is None:
        raise ArtifactError(
            say(
                f"{place.evidence}: holds no run ({RECORD} is not there)",
                f"{place.evidence}: 실행이 없습니다 ({RECORD} 파일이 없음)",
            )
        )
    found = Evidence(place, record)
    found.damaged += [place.unread] if place.unread else []
    found.stats = _read(found, place.evidence / STATISTICS)
    found.comparison = _read(found, place.evidence / "evaluation" / COMPARISON)
    for kind, name in FILES.items():
        evaluation = _read(found, place.evidence / "evaluation" / name)
        if evaluation is not None:
            found.evaluations[kind] = evaluation
    _curves(found)
    _of_the_data(found)
    config = place.evidence / CONFIG
    if config.is_file():
        try:
            found.config = config.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            _tell(found, config, error)
    found.warnings = tuple(_warnings(place.evidence))
    return found


def _curves(found: Evidence) -> None:
    path = found.place.evidence / METRICS
    if not path.is_file():
        return
    try:
        found.curves = read_curves(path)
    except OSError as error:
        _tell(found, path, error)
        return
    if found.curves.torn:
        torn, lines = found.curves.torn, found.curves.lines
        found.damaged.append(
            say(
                f"{METRICS}: {torn:,} of {lines:,} lines are torn or no measurement, and left out of the curves",
                f"{METRICS}: {lines:,}줄 가운데 {torn:,}줄이 깨졌거나 측정값이 아니어서 곡선에서 뺐습니다",
            )
        )


def _of_the_data(found: Evidence) -> None:
    """The folders of the data stages that the run was made of."""
    named = found.record.get("formatted")
    formatted = found.place.root / named if isinstance(named, str) and named else None
    manifest = read_manifest(formatted) if formatted is not None else None
    if formatted is None or manifest is None:
        return
    found.formatted = formatted
    found.statistics = _read(found, formatted / "statistics.json")
    made_from = manifest.made_from.get("preprocessed")
    folder = formatted.parent / f"preprocessed-{str(made_from)[:12]}"
    if read_manifest(folder) is not None:
        found.preprocessed = folder
        found.data = _read(found, folder / "report.json")


def _read(found: Evidence, path: Path) -> dict[str, Any] | None:
    try:
        return _object(path)
    except ArtifactError as error:
        found.damaged.append(str(error))
        return None


def _object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is no file. Raises ArtifactError."""
    if not path.is_file():
        return None
    value = read_json(path)
    if not isinstance(value, dict):
        raise ArtifactError(
            say(
                f"{path}: found {type(value).__name__}, expected a JSON object",
                f"{path}: {type(value).__name__}이(가) 아니라 JSON 객체여야 합니다",
            )
        )
    return value


def _tell(found: Evidence, path: Path, error: Exception) -> None:
    found.damaged.append(say(f"{path}: cannot be read ({error})", f"{path}: 읽을 수 없습니다 ({error})"))


def _warnings(folder: Path) -> list[str]:
    """What the logs of the run warn of, each once, in order."""
    told: dict[str, None] = {}
    for pattern in LOGS:
        for path in sorted(folder.glob(pattern)):
            try:
                with path.open(encoding="utf-8", errors="replace") as file:
                    for line in file:
                        _, mark, text = line.partition(" WARNING ")
                        if mark:
                            told.setdefault(text.strip()[:500])
                        if len(told) > LISTED:
                            return list(told)
            except OSError:
                continue
    return list(told)


def defaults_of(settings: "Experiment") -> "Experiment":
    """The experiment that says no more than what it is about: the same model, rows, and kinds of members."""
    from dadeum.config.experiment import Experiment

    whole = settings.model_dump(mode="json")
    kind = {name: {"type": whole[name]["type"]} for name in ("adapter", "head")}
    train = {name: {"type": whole["train"][name]["type"]} for name in ("objective", "optim")}
    model = {name: whole["model"][name] for name in ("name_or_path", "init", "config", "revision")}
    least = {
        "name": settings.name,
        "model": model,
        "tokenizer": {"name_or_path": whole["tokenizer"]["name_or_path"]},
        "data": {"sources": whole["data"]["sources"]},
        "train": train,
        **kind,
    }
    return Experiment.model_validate_json(json.dumps(least))


def changed(settings: "Experiment") -> list[tuple[str, Any, Any]]:
    """Keys of settings that are no defaults: the key, its value, the default."""
    from dadeum.plan.steps import flat

    try:
        usual = flat(defaults_of(settings).model_dump(mode="json"), "")
    except (ValueError, ConfigError):
        usual = {}
    now = flat(settings.model_dump(mode="json"), "")
    keys = [key for key in now if now[key] != usual.get(key)]
    return [(key.lstrip("."), now[key], usual.get(key)) for key in keys if key not in (".name", ".model.name_or_path")]


def guarded(found: Evidence, title: str, build: Callable[[], Any]) -> Any:
    """What `build` makes; where the evidence has not the form that it should have, None, and it is told."""
    import logging

    try:
        return build()
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OSError, ZeroDivisionError) as error:
        logging.getLogger("dadeum").exception("report: %s", title)
        found.damaged.append(
            say(
                f"'{title}' cannot be shown: the run's files do not hold what is expected ({type(error).__name__}: {error})",
                f"'{title}' 부분을 보일 수 없습니다. 실행의 파일에 있어야 할 것이 없습니다 ({type(error).__name__}: {error})",
            )
        )
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """The mapping, or an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}
