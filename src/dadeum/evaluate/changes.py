"""Where a model gained and lost most against the first one, row by row; and the same metrics category by category."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.evaluate.defaults import FEW
from dadeum.evaluate.held import Measured, hold
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.statistics import gains

SHOWN = 3  # gains, and as many losses
MOST = 30  # categories, the commonest
# What tells most of a row's answer, where it was measured; else the first metric of which a row has a value.
PREFERRED = ("rougeL", "rougeL_char", "chrf", "exact_match")


def by_row(one: Measured) -> bool:
    """Whether one row of this metric can be better than another model's."""
    better = one.member.higher_is_better is not None
    return one.ranked and better and not hasattr(one.member, "value") and getattr(one.member, "alone", True)


def choose(metrics: Sequence[Measured], by: str | None) -> Measured | None:
    """The metric that rows are sorted by; None where no metric has values by row. Raises ArtifactError for an unfit `by`."""
    fit = {one.name: one for one in metrics if by_row(one)}
    if by is not None and by not in fit:
        near, known = hint(nearest(by, list(fit))), ", ".join(fit) or "-"
        raise ArtifactError(
            say(
                f"--by: '{by}' has no values by row here, expected one of: {known}{near}",
                f"--by: '{by}'에는 행마다의 값이 없습니다. 다음 중 하나를 쓰세요: {known}{near}",
            )
        )
    return fit[by] if by else next((fit[name] for name in (*PREFERRED, *fit) if name in fit), None)


def changes(
    metrics: Sequence[Measured], names: Sequence[str], results: Sequence[EvaluationResult], by: str | None
) -> dict[str, Any] | None:
    """`{"metric": name, "models": {model: {"gains": [...], "losses": [...]}}}`: rows with both answers, the greatest first."""
    chosen = choose(metrics, by)
    if chosen is None:
        return None
    first, *others = chosen.columns
    found: dict[str, Any] = {}
    for place, (name, column) in enumerate(zip(names[1:], others, strict=True), 1):
        by_how_much = gains(first, column)
        assert by_how_much is not None
        sided = [chosen.member.combine(c.rows) for c in (first, column)]
        order = [int(i) for i in np.argsort(-by_how_much, kind="stable") if np.isfinite(by_how_much[i])]
        both = {
            "gains": [i for i in order if by_how_much[i] > 0],
            "losses": [i for i in reversed(order) if by_how_much[i] < 0],
        }
        found[name] = {
            kind: [
                _row(chosen.places[i], (names[0], name), (results[0], results[place]), [float(v[i]) for v in sided])
                for i in rows[:SHOWN]
            ]
            for kind, rows in both.items()
        }
    return {"metric": chosen.name, "models": found}


def _row(
    place: int, names: Sequence[str], results: Sequence[EvaluationResult], values: Sequence[float]
) -> dict[str, Any]:
    samples = [result.samples[place] for result in results]
    category = samples[0].get("category")
    return {
        "row": samples[0].get("source_row", place),
        "question": samples[0].get("question") or samples[0].get("prompt") or "",
        "reference": samples[0].get("reference"),
        **({} if category is None else {"category": category}),
        "values": dict(zip(names, values, strict=True)),
        "answers": {name: sample.get("prediction") for name, sample in zip(names, samples, strict=True)},
    }


def categories(
    metrics: Sequence[Measured],
    names: Sequence[str],
    results: Sequence[EvaluationResult],
    groups: Sequence[str | None],
    *,
    draws: int,
    seed: int,
) -> dict[str, Any] | None:
    """By category, the commonest first: `{"rows": {category: n}, "left_out": n, "few": 10, "metrics": {metric: {category: {...}}}}`.

    None where rows have no categories. A category of few rows has values and no interval. Rows without one are under "".
    """
    of_row = [sample.get("category") for sample in results[0].samples]
    counts = Counter("" if name is None else str(name) for name in of_row)
    if set(counts) <= {""}:
        return None
    shown = [name for name, _ in counts.most_common(MOST)]
    found: dict[str, dict[str, Any]] = {one.name: {} for one in metrics}
    for category in shown:
        rows = {place for place, name in enumerate(of_row) if ("" if name is None else str(name)) == category}
        some = [part for one in metrics if (part := one.of(rows)).places]
        for name, held in hold(some, names, groups, draws=draws, seed=seed, least=FEW).items():
            part = next(one for one in some if one.name == name)
            found[name][category] = {
                "n": len(part.places),
                "units": held.units,
                "values": held.values,
                "differences": {model: asdict(one) | {"clear": one.clear} for model, one in held.differences.items()},
            }
    return {
        "rows": {name: counts[name] for name in shown},
        "left_out": len(counts) - len(shown),
        "few": FEW,
        "metrics": {name: by for name, by in found.items() if by},
    }
