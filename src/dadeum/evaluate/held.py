"""Models held against the first one, on the same rows: all metrics by the same draws, of all rows or of a category's."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dadeum.evaluate.metrics import METRICS, Row
from dadeum.evaluate.permutation import swapped
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.statistics import (
    Column,
    Difference,
    Interval,
    Units,
    bca,
    difference,
    left_out,
    resampled,
    table,
    whole,
)


@dataclass(frozen=True)
class Measured:
    """One metric of all models: the rows that all have (`places`), and their statistics by model."""

    name: str
    member: Any
    ranked: bool
    places: tuple[int, ...]
    kept: tuple[tuple[Row, ...], ...]

    def of(self, wanted: set[int]) -> "Measured":
        """Over some rows only."""
        at = [i for i, place in enumerate(self.places) if place in wanted]
        kept = tuple(tuple(rows[i] for i in at) for rows in self.kept)
        return Measured(self.name, self.member, self.ranked, tuple(self.places[i] for i in at), kept)

    @property
    def columns(self) -> list[Column]:
        """Arrays by model."""
        return [Column(self.member, table(rows)) for rows in self.kept]


@dataclass(frozen=True)
class Held:
    """What was found of one metric."""

    values: dict[str, float]
    intervals: dict[str, Interval]
    differences: dict[str, Difference]
    units: int  # rows, or contexts, that were drawn


def measured(results: Sequence[EvaluationResult]) -> list[Measured]:
    """The metrics that all models have. A row that one model lacks counts for none, so that each difference is that of the
    values beside it."""
    tokenizers = {result.environment["tokenizer_sha256"] for result in results}
    found = []
    for name in (n for n in results[0].metrics if all(n in r.metrics for r in results)):
        member = METRICS.member(results[0].metrics[name]["metric"])
        statistics = [[sample["statistics"].get(name) for sample in result.samples] for result in results]
        places = [i for i, row in enumerate(zip(*statistics, strict=True)) if all(one is not None for one in row)]
        if places:
            ranked = not (member.per_token and len(tokenizers) > 1)
            kept = tuple(tuple(tuple(rows[i]) for i in places) for rows in statistics)
            found.append(Measured(name, member, ranked, tuple(places), kept))
    return found


def groups_of(result: EvaluationResult) -> list[str | None]:
    """Of each row the context that it shares with others."""
    return [sample.get("group") for sample in result.samples]


def hold(
    metrics: Sequence[Measured],
    names: Sequence[str],
    groups: Sequence[str | None],
    *,
    draws: int,
    seed: int,
    swaps: int | None = None,
    least: int = 1,
) -> dict[str, Held]:
    """What is known of each metric; with `swaps` also p. Where fewer than `least` units are, there are values alone.

    Metrics over the same rows share the draws.
    """
    together: dict[tuple[int, ...], list[Measured]] = {}
    for one in metrics:
        if one.places:
            together.setdefault(one.places, []).append(one)
    found: dict[str, Held] = {}
    for places, some in together.items():
        units = Units(len(places), [groups[place] for place in places])
        if units.count < least:
            found |= {one.name: Held(_values(one, names), {}, {}, units.count) for one in some}
        else:
            found |= _hold(some, names, units, draws, seed, swaps)
    return {one.name: found[one.name] for one in metrics if one.name in found}


def _values(one: Measured, names: Sequence[str]) -> dict[str, float]:
    """By model; what has none (an AUROC of one class) is left out."""
    found = {name: whole(column) for name, column in zip(names, one.columns, strict=True)}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _hold(
    some: Sequence[Measured], names: Sequence[str], units: Units, draws: int, seed: int, swaps: int | None
) -> dict[str, Held]:
    columns = [one.columns for one in some]
    drawn = iter(resampled([column for of in columns for column in of], units, draws, seed))
    p: Mapping[tuple[str, str], float] = {}
    if swaps is not None:
        pairs = {
            (one.name, name): (of[0], of[place])
            for one, of in zip(some, columns, strict=True)
            for place, name in enumerate(names)
            if place and one.ranked
        }
        p = dict(zip(pairs, swapped(list(pairs.values()), units, swaps, seed), strict=True))
    found = {}
    for one, of in zip(some, columns, strict=True):
        values = _values(one, names)
        by_model = {name: (column, next(drawn)) for name, column in zip(names, of, strict=True)}
        intervals = {
            name: bca(draw, values[name], left_out(column, units), units.count)
            for name, (column, draw) in by_model.items()
            if name in values
        }
        first, of_first = by_model[names[0]]
        differences = {
            name: difference(first, column, of_first, draw, units, p.get((one.name, name)))
            for name, (column, draw) in list(by_model.items())[1:]
            if one.ranked and name in values and names[0] in values
        }
        found[one.name] = Held(values, intervals, differences, units.count)
    return found
