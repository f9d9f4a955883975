"""What differs between runs: settings, materials, versions, scores. Scores stand side by side where they are of like things."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dadeum.core.language import say
from dadeum.evaluate.result import unlike
from dadeum.evaluate.step import FILES
from dadeum.plan.steps import flat
from dadeum.run.ledger import STATS, read_entry, read_object_or_none
from dadeum.run.store import RECORD, Run

ABSENT = "–"


@dataclass(frozen=True)
class Differences:
    """Rows of values, one a run, of what is not the same in all; `unlike` says by metric why its values are not comparable."""

    runs: tuple[Run, ...]
    settings: dict[str, list[Any]]
    materials: dict[str, list[Any]]
    versions: dict[str, list[Any]]
    scores: dict[str, dict[str, list[float | None]]]
    better: dict[str, bool | None] = field(default_factory=dict)
    unlike: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "runs": [f"{run.experiment}/{run.name}" for run in self.runs],
            "settings": self.settings,
            "materials": self.materials,
            "versions": self.versions,
            "scores": self.scores,
            "not_comparable": self.unlike,
        }


def between(runs: Sequence[Run]) -> Differences:
    """Hold the runs against each other; what cannot be read counts as absent."""
    records = [read_object_or_none(run.evidence / RECORD) or {} for run in runs]
    stats = [read_object_or_none(run.evidence / STATS) or {} for run in runs]
    settings = [_flat(read_entry(run).config) for run in runs]
    scores, better, unlike = _scores(runs)
    return Differences(
        tuple(runs),
        _differing(settings),
        _differing([_flat(record.get("materials") or {}) for record in records]),
        _differing([_conditions(one) for one in stats]),
        scores,
        better,
        unlike,
    )


def _flat(tree: Any) -> dict[str, Any]:
    return {name[1:]: value for name, value in flat(tree, "").items()} if isinstance(tree, dict) else {}


def _conditions(stats: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {n: stats[n] for n in ("device", "processes", "precision") if n in stats}
    return {**found, **_flat(stats.get("versions"))}


def _differing(trees: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """The names whose values are not the same in all, in the order they come."""
    names = dict.fromkeys(name for tree in trees for name in tree)
    rows = {name: [tree.get(name, ABSENT) for tree in trees] for name in names}
    return {name: row for name, row in rows.items() if any(value != row[0] for value in row)}


def _scores(
    runs: Sequence[Run],
) -> tuple[dict[str, dict[str, list[float | None]]], dict[str, bool | None], dict[str, str]]:
    """Values by kind of model and metric, which way is better, and why a metric's values are not comparable."""
    scores: dict[str, dict[str, list[float | None]]] = {}
    better: dict[str, bool | None] = {}
    unlike: dict[str, str] = {}
    for kind, file in FILES.items():
        found = [read_object_or_none(run.evaluation / file) or {} for run in runs]
        metrics = [m if isinstance(m := one.get("metrics"), dict) else {} for one in found]
        why = _other_questions([one for one in found if one])
        for name in dict.fromkeys(name for one in metrics for name in one):
            held = [_object(one.get(name)) for one in metrics]
            scores.setdefault(kind, {})[name] = [one.get("value") if one else None for one in held]
            better[name] = next((one.get("higher_is_better") for one in held if one), None)
            signatures = {one.get("signature") for one in held if one}
            if len(signatures) > 1:
                unlike[f"{kind}: {name}"] = say("measured in other ways (signatures)", "재는 방식이 다름(서명)")
            elif why:
                unlike[f"{kind}: {name}"] = why
    return scores, better, unlike


def _other_questions(found: Sequence[dict[str, Any]]) -> str:
    """What of the evaluations is not the same; empty where they are of like things."""
    environments = [e if isinstance(e := one.get("environment"), dict) else {} for one in found]
    other = list(dict.fromkeys(what for one in environments[1:] for what in unlike(environments[0], one)))
    return say(f"other {', '.join(other)}", f"다름: {', '.join(other)}") if other else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
