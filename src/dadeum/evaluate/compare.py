"""Models side by side on the same rows, and how sure the difference is.

Only like is compared with like: the same questions and references, the same decoding, the same signature of each
metric. Perplexities of unlike tokenizers are shown and not ranked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any

from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.evaluate.changes import categories, changes
from dadeum.evaluate.defaults import FEW
from dadeum.evaluate.held import Held, Measured, groups_of, hold, measured
from dadeum.evaluate.result import EvaluationResult, unlike
from dadeum.evaluate.statistics import COVERS, LEVEL, Difference


@dataclass(frozen=True)
class MetricRow:
    """One metric over all models; `differences` are against the first model, over the rows that all have."""

    name: str
    unit: str
    higher_is_better: bool | None  # None: neither way is better
    signature: str
    n: int
    units: int  # how many rows, or contexts, were drawn
    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    floors: dict[str, float]
    differences: dict[str, Difference]
    ranked: bool = True

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        clear = {name: asdict(one) | {"clear": one.clear} for name, one in self.differences.items()}
        return {**asdict(self), "differences": clear}


@dataclass(frozen=True)
class Comparison:
    """What a comparison found; `columns` keeps the evaluations that it was made from."""

    names: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    shares: dict[str, dict[str, float]]
    draws: int
    seed: int
    notes: tuple[str, ...]
    columns: tuple[EvaluationResult, ...] = field(repr=False)
    tasks: list[dict[str, Any]] = field(default_factory=list)  # a row a task and metric (`elsewhere.py`)
    judge: dict[str, Any] | None = None  # what a judge said (`judge.py`)
    categories: dict[str, Any] | None = None  # `changes.categories`
    changes: dict[str, Any] | None = None  # the largest gains and losses: `changes.changes`
    seeds: dict[str, Any] | None = None  # the spread of the tuned model between trainings: `seeds.spread_of`
    grouped: bool = False  # whether whole contexts were drawn, not rows

    def plain(self) -> dict[str, Any]:
        """As JSON holds it, without the evaluations themselves."""
        return {
            "models": list(self.names),
            "metrics": [metric.plain() for metric in self.metrics],
            "shares": self.shares,
            "bootstrap": {
                "draws": self.draws,
                "seed": self.seed,
                "covers": COVERS,
                "interval": LEVEL,
                "method": "BCa",
                "units": "contexts" if self.grouped else "rows",
            },
            "categories": self.categories,
            "changes": self.changes,
            "seeds": self.seeds,
            "notes": list(self.notes),
            "tasks": self.tasks,
            "judge": self.judge,
            "environments": {name: c.environment for name, c in zip(self.names, self.columns, strict=True)},
        }


def compare(
    columns: Sequence[tuple[str, EvaluationResult]],
    *,
    draws: int,
    seed: int,
    by: str | None = None,
    seeds: dict[str, Any] | None = None,
) -> Comparison:
    """Compare evaluations; the first is what the others are held against. Rows are sorted `by` a metric's gain.

    `seeds` is the spread of the last model between trainings (`seeds.spread_of`). Raises ArtifactError where evaluations are
    unlike.
    """
    names = tuple(name for name, _ in columns)
    results = tuple(result for _, result in columns)
    if len(set(names)) != len(names) or len(names) < 2:
        raise ArtifactError(
            say(
                f"found models {', '.join(names)}, expected two or more with unlike names",
                f"모델이 {', '.join(names)}입니다. 이름이 서로 다른 모델이 둘 이상이어야 합니다",
            )
        )
    for (one, a), (other, b) in pairwise(columns):
        _same_terms(one, a, other, b)
    metrics, groups = measured(results), groups_of(results[0])
    found = hold(metrics, names, groups, draws=draws, seed=seed, swaps=draws)
    rows = tuple(_metric(one, found[one.name], names, results) for one in metrics)
    comparison = Comparison(
        names=names,
        metrics=rows,
        shares={name: result.shares for name, result in columns},
        draws=draws,
        seed=seed,
        notes=(),
        columns=results,
        categories=categories(metrics, names, results, groups, draws=draws, seed=seed),
        changes=changes(metrics, names, results, by),
        seeds=seeds,
        grouped=any(row.units < row.n for row in rows),
    )
    return replace(comparison, notes=tuple(_notes(comparison)))


def _same_terms(one: str, a: EvaluationResult, other: str, b: EvaluationResult) -> None:
    """Raises ArtifactError that names the first thing in which two evaluations are unlike."""
    for what in unlike(a.environment, b.environment)[:1]:
        raise ArtifactError(
            say(
                f"'{one}' and '{other}' were evaluated with unlike {what}; evaluate both again with the same",
                f"'{one}'와(과) '{other}'의 {what}이(가) 다릅니다. 같은 것으로 둘 다 다시 평가하세요",
            )
        )
    for name in sorted(set(a.metrics) & set(b.metrics)):
        first, second = a.metrics[name]["signature"], b.metrics[name]["signature"]
        if first != second:
            raise ArtifactError(
                say(
                    f"{name}: '{one}' has signature '{first}', '{other}' has '{second}'; evaluate both again with this version",
                    f"{name}: '{one}'의 서명은 '{first}', '{other}'의 서명은 '{second}'입니다. 이 버전으로 둘 다 다시 평가하세요",
                )
            )


def _metric(one: Measured, held: Held, names: Sequence[str], results: Sequence[EvaluationResult]) -> MetricRow:
    first = results[0].metrics[one.name]
    found = dict(zip(names, (result.metrics[one.name] for result in results), strict=True))
    return MetricRow(
        name=one.name,
        unit=first["unit"],
        higher_is_better=first["higher_is_better"],
        signature=first["signature"],
        n=len(one.places),
        units=held.units,
        values=held.values,
        intervals={name: (span.low, span.high) for name, span in held.intervals.items()},
        floors={key: metric["floor"] for key, metric in found.items() if "floor" in metric},
        differences=held.differences,
        ranked=one.ranked,
    )


def _notes(found: Comparison) -> list[str]:
    names, results = found.names, found.columns
    notes = _on_intervals(found)
    unranked = [row.name for row in found.metrics if not row.ranked]
    if unranked:
        notes.append(
            say(
                f"{', '.join(unranked)}: counted per token of unlike tokenizers, so not ranked; bits_per_byte is comparable.",
                f"{', '.join(unranked)}: 토크나이저가 달라 토큰당 값은 순위를 매기지 않습니다. bits_per_byte는 비교할 수 있습니다.",
            )
        )
    for name, have in _of_some(names, results).items():
        notes.append(
            say(
                f"{name}: measured of {', '.join(have)} alone, so not compared.",
                f"{name}: {', '.join(have)}에서만 재어 비교하지 않습니다.",
            )
        )
    if len({result.environment["template_sha256"] for result in results}) > 1:
        notes.append(
            say(
                "The models were asked with unlike chat templates, each with its own.",
                "모델마다 자기 대화 템플릿으로 물었습니다. 서로 다릅니다.",
            )
        )
    notes += [
        _shown(name, result.environment["few_shot"])
        for name, result in zip(names, results, strict=True)
        if result.environment.get("few_shot")
    ]
    notes += [
        say(
            f"{name}: {result.shares['cut']:.0%} of the answers were cut by max_new_tokens.",
            f"{name}: 답의 {result.shares['cut']:.0%}가 max_new_tokens에서 잘렸습니다.",
        )
        for name, result in zip(names, results, strict=True)
        if result.shares.get("cut")
    ]
    return [*notes, *dict.fromkeys(note for result in results for note in result.notes)]


def _of_some(names: Sequence[str], results: Sequence[EvaluationResult]) -> dict[str, list[str]]:
    """Metrics that some of the models have and others lack: who has them."""
    have: dict[str, list[str]] = {}
    for name, result in zip(names, results, strict=True):
        for metric in result.metrics:
            have.setdefault(metric, []).append(name)
    return {metric: some for metric, some in have.items() if len(some) < len(names)}


def _on_intervals(found: Comparison) -> list[str]:
    """What the intervals and p stand on, and where they stand on little."""
    notes = [
        say(
            "The intervals (95 %, BCa, paired bootstrap) cover the choice of test rows only: not the seed of the training, nor other data.",
            "구간(95 %, BCa, 짝지은 부트스트랩)은 시험 행의 선택만 다룹니다. 학습의 난수 씨앗이나 다른 데이터는 다루지 않습니다.",
        )
    ]
    if found.grouped:
        n, units = max((row.n, row.units) for row in found.metrics)
        notes.append(
            say(
                f"{n} rows share {units} contexts, so whole contexts were drawn and swapped: rows of one context are no independent witnesses.",
                f"{n}행이 {units}개 지문을 나눠 쓰므로 지문째로 뽑고 바꾸었습니다. 같은 지문의 행은 서로 독립이 아닙니다.",
            )
        )
    if any(one.p is not None for row in found.metrics for one in row.differences.values()):
        notes.append(
            say(
                "p: how often swapping the two models' answers at random makes a difference as large (permutation test); each metric by itself, not corrected for their number.",
                "p: 두 모델의 답을 무작위로 바꿔도 이만큼 차이가 날 비율(순열 검정). 지표마다 따로이며 지표 수로 보정하지 않았습니다.",
            )
        )
    few = sorted({row.units for row in found.metrics if row.units < FEW})
    if few:
        notes.append(
            say(
                f"Only {few[0]} test rows or contexts: too few for intervals to be trusted.",
                f"시험 행이나 지문이 {few[0]}개뿐이라 구간을 믿기 어렵습니다.",
            )
        )
    alike = [row.name for row in found.metrics if any(d.how == "alike" for d in row.differences.values())]
    if alike:
        notes.append(
            say(
                f"{', '.join(alike)}: no resample differs from another, so there is no interval.",
                f"{', '.join(alike)}: 어떻게 뽑아도 같은 값이라 구간이 없습니다.",
            )
        )
    plain = [row.name for row in found.metrics if any(d.how == "percentile" for d in row.differences.values())]
    if plain:
        notes.append(
            say(
                f"{', '.join(plain)}: bias and acceleration cannot be told, so the interval is a percentile interval.",
                f"{', '.join(plain)}: 편향과 가속을 알 수 없어 백분위수 구간입니다.",
            )
        )
    lost = [(row.name, d.lost) for row in found.metrics for d in row.differences.values() if d.lost]
    return [
        *notes,
        *(
            say(
                f"{name}: {count} of {found.draws} resamples have no value and are left out of its interval.",
                f"{name}: 표본 {found.draws}개 중 {count}개는 값이 없어 구간에서 뺐습니다.",
            )
            for name, count in dict(lost).items()
        ),
    ]


def _shown(name: str, few_shot: Mapping[str, Any]) -> str:
    fewer = {count: rows for count, rows in few_shot["rows"].items() if int(count) != few_shot["asked"]}
    english = "".join(f", {count} before {rows} of them" for count, rows in fewer.items())
    korean = "".join(f", 그 가운데 {rows}행에는 {count}개" for count, rows in fewer.items())
    return say(
        f"{name}: {few_shot['asked']} examples before each question{english}.",
        f"{name}: 질문마다 예시 {few_shot['asked']}개{korean}.",
    )
