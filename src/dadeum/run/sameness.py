"""Two trainings held against each other: losses step by step, scores, weights. Says identical, equal within, or since when not."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from dadeum.core.artifact import read_manifest
from dadeum.evaluate.step import FILES
from dadeum.run.ledger import metric_lines, read_object_or_none
from dadeum.run.store import Run

COMPARED = ("loss", "learning_rate", "grad_norm", "validation_loss")
TOLERANCE = 1e-4
Verdict = Literal["identical", "equal within", "different"]


@dataclass(frozen=True)
class Sameness:
    """What was equal. `first` is the first step at which a number differs, `beyond` the first at which one differs by more
    than the tolerance; `largest` is the largest relative difference of a loss or score."""

    verdict: Verdict
    steps: int
    first: int | None
    beyond: int | None
    largest: float
    losses: dict[str, list[float | None]] = field(default_factory=dict)
    scores: dict[str, list[float | None]] = field(default_factory=dict)
    answers: list[int] | None = None  # how many of the test answers are word for word the same, and of how many
    weights: dict[str, bool] = field(default_factory=dict)
    tolerance: float = TOLERANCE

    def as_json(self) -> dict[str, Any]:
        """The record."""
        return asdict(self)


def hold(then: Run, now: Run, *, tolerance: float = TOLERANCE) -> Sameness:
    """Compare what the two runs left."""
    steps, first, beyond, largest, losses = _losses(then, now, tolerance)
    scores, answers = _scores(then, now)
    apart = max((_apart(*pair) for pair in scores.values()), default=0.0)
    weights = _weights(then, now)
    largest = max(largest, apart)
    same = first is None and apart == 0 and all(weights.values()) and (answers is None or answers[0] == answers[1])
    verdict: Verdict = "identical" if same else "equal within" if largest <= tolerance else "different"
    shown = largest if math.isfinite(largest) else -1.0
    return Sameness(verdict, steps, first, beyond, shown, losses, scores, answers, weights, tolerance)


def _apart(left: float | None, right: float | None) -> float:
    """Relative difference; infinite where only one is there."""
    if left is None or right is None:
        return 0.0 if left is right else math.inf
    return 0.0 if left == right else abs(left - right) / max(abs(left), abs(right))


def _by_step(run: Run) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    for line in metric_lines(run):
        kept = {key: line[key] for key in COMPARED if isinstance(line.get(key), int | float)}
        found.setdefault(line["step"], {}).update(kept)
    return found


def _losses(
    then: Run, now: Run, tolerance: float
) -> tuple[int, int | None, int | None, float, dict[str, list[float | None]]]:
    """Steps held, the first that differs, the first beyond the tolerance, the largest difference of a loss, first and last losses."""
    left, right = _by_step(then), _by_step(now)
    first = beyond = None
    largest = 0.0
    for step in sorted({*left, *right}):
        a, b = left.get(step, {}), right.get(step, {})
        if a != b and first is None:
            first = step
        apart = max((_apart(a.get(key), b.get(key)) for key in ("loss", "validation_loss")), default=0.0)
        largest = max(largest, apart)
        if apart > tolerance and beyond is None:
            beyond = step
    losses: dict[str, list[float | None]] = {}
    for name, one in (("then", left), ("now", right)):
        values = [one[step]["loss"] for step in sorted(one) if "loss" in one[step]]
        losses[name] = [values[0], values[-1]] if values else [None, None]
    return len(left), first, beyond, largest, losses


def _scores(then: Run, now: Run) -> tuple[dict[str, list[float | None]], list[int] | None]:
    """The tuned model's scores then and now, and how many answers are the same."""
    left, right = (read_object_or_none(run.evaluation / FILES["tuned"]) for run in (then, now))
    if left is None or right is None:
        return {}, None
    a, b = left.get("metrics", {}), right.get("metrics", {})
    scores = {n: [a.get(n, {}).get("value"), b.get(n, {}).get("value")] for n in dict.fromkeys([*a, *b])}
    said = [[sample.get("prediction") for sample in one.get("samples", [])] for one in (left, right)]
    same = sum(x == y for x, y in zip(*said, strict=False))
    return scores, [same, max(map(len, said))]


def _weights(then: Run, now: Run) -> dict[str, bool]:
    """By file of weights, whether its SHA-256 is the same."""
    found = [manifest.files if (manifest := read_manifest(run.final)) else {} for run in (then, now)]
    names = sorted({name for files in found for name in files if name.endswith(".safetensors")})
    return {name: found[0].get(name) == found[1].get(name) for name in names}
