"""Models side by side on the same rows, and how sure the difference is.

Only like is compared with like: the same questions and references, the same decoding, the same signature of each
metric. Perplexities of unlike tokenizers are shown and not ranked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.evaluate.metrics import METRICS
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.statistics import Difference, interval, paired, total


@dataclass(frozen=True)
class MetricRow:
    """One metric over all models; `differences` are against the first model, over the rows that all have."""

    name: str
    unit: str
    higher_is_better: bool
    signature: str
    n: int
    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    floors: dict[str, float]
    differences: dict[str, Difference]
    ranked: bool = True


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

    def plain(self) -> dict[str, Any]:
        """As JSON holds it, without the evaluations themselves."""
        return {
            "models": list(self.names),
            "metrics": [asdict(metric) for metric in self.metrics],
            "shares": self.shares,
            "bootstrap": {
                "draws": self.draws,
                "seed": self.seed,
                "covers": "the choice of test rows only",
                "interval": 0.95,
            },
            "notes": list(self.notes),
            "environments": {name: c.environment for name, c in zip(self.names, self.columns, strict=True)},
        }


def compare(columns: Sequence[tuple[str, EvaluationResult]], *, draws: int, seed: int) -> Comparison:
    """Compare evaluations; the first is what the others are held against. Raises ArtifactError where they are unlike."""
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
    shared = [name for name in results[0].metrics if all(name in r.metrics for r in results)]
    rows = tuple(row for name in shared if (row := _metric(name, names, results, draws, seed)).n)
    return Comparison(
        names=names,
        metrics=rows,
        shares={name: result.shares for name, result in columns},
        draws=draws,
        seed=seed,
        notes=tuple(_notes(names, results, rows)),
        columns=results,
    )


def _same_terms(one: str, a: EvaluationResult, other: str, b: EvaluationResult) -> None:
    """Raises ArtifactError that names the first thing in which two evaluations are unlike."""
    for key, english, korean in (
        ("questions_sha256", "questions", "질문"),
        ("targets_sha256", "reference answers", "기준 답"),
        ("decoding", "decoding settings", "생성 설정"),
    ):
        if a.environment.get(key) != b.environment.get(key):
            raise ArtifactError(
                say(
                    f"'{one}' and '{other}' were evaluated with unlike {english}; evaluate both again with the same",
                    f"'{one}'와(과) '{other}'의 {korean}이(가) 다릅니다. 같은 것으로 둘 다 다시 평가하세요",
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


def _metric(name: str, names: Sequence[str], results: Sequence[EvaluationResult], draws: int, seed: int) -> MetricRow:
    first = results[0].metrics[name]
    member = METRICS.member(first["metric"])
    tokenizers = {result.environment["tokenizer_sha256"] for result in results}
    ranked = not (member.per_token and len(tokenizers) > 1)
    statistics = [[sample["statistics"].get(name) for sample in result.samples] for result in results]
    whole = [i for i, row in enumerate(zip(*statistics, strict=True)) if all(one is not None for one in row)]
    # A row that one model lacks counts for none, so that each difference is that of the values beside it.
    kept = [[rows[i] for i in whole] for rows in statistics]
    columns = dict(zip(names, kept, strict=True)) if whole else {}
    differences = {}
    if ranked and whole:
        differences = {
            other: paired(kept[0], rows, member, draws=draws, seed=seed)
            for other, rows in zip(names[1:], kept[1:], strict=True)
        }
    found = dict(zip(names, (result.metrics[name] for result in results), strict=True))
    return MetricRow(
        name=name,
        unit=first["unit"],
        higher_is_better=first["higher_is_better"],
        signature=first["signature"],
        n=len(whole),
        values={key: total(member, rows) for key, rows in columns.items()},
        intervals={key: interval(rows, member, draws=draws, seed=seed) for key, rows in columns.items()},
        floors={key: metric["floor"] for key, metric in found.items() if "floor" in metric},
        differences=differences,
        ranked=ranked,
    )


def _notes(names: Sequence[str], results: Sequence[EvaluationResult], rows: Sequence[MetricRow]) -> list[str]:
    notes = [
        say(
            "The intervals (95 %, paired bootstrap) cover the choice of test rows only: not the seed of the training, nor other data.",
            "구간(95 %, 짝지은 부트스트랩)은 시험 행의 선택만 다룹니다. 학습의 난수 씨앗이나 다른 데이터는 다루지 않습니다.",
        )
    ]
    unranked = [row.name for row in rows if not row.ranked]
    if unranked:
        notes.append(
            say(
                f"{', '.join(unranked)}: counted per token of unlike tokenizers, so not ranked; bits_per_byte is comparable.",
                f"{', '.join(unranked)}: 토크나이저가 달라 토큰당 값은 순위를 매기지 않습니다. bits_per_byte는 비교할 수 있습니다.",
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


def _shown(name: str, few_shot: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count}: {rows}" for count, rows in few_shot["rows"].items())
    return say(
        f"{name}: {few_shot['asked']} examples before each question (examples: rows {counts}).",
        f"{name}: 질문마다 예시 {few_shot['asked']}개 (예시 수: 행 수 {counts}).",
    )
