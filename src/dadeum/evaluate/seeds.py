"""The spread between trainings with unlike seeds: what no interval over test rows can show."""

import math
import statistics
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.evaluate.result import EvaluationResult, unlike


def spread_of(by_seed: Mapping[int, EvaluationResult]) -> dict[str, Any]:
    """`{"seeds": [...], "metrics": {name: {"values": {seed: value}, "mean", "sd", "low", "high"}}}`.

    `sd` is that of a sample (n - 1), `low` and `high` are the least and the greatest value. Metrics that some seed lacks are
    left out. Raises ArtifactError where the seeds were scored on unlike questions, references or decoding.
    """
    results = list(by_seed.values())
    _refuse_unlike(by_seed)
    shared = [name for name in results[0].metrics if all(name in r.metrics for r in results)] if results else []
    found = {}
    for name in shared:
        values = {str(seed): float(result.metrics[name]["value"]) for seed, result in by_seed.items()}
        listed = list(values.values())
        if len({r.metrics[name]["signature"] for r in results}) > 1 or not all(map(math.isfinite, listed)):
            continue
        found[name] = {
            "values": values,
            "mean": statistics.fmean(listed),
            "sd": statistics.stdev(listed) if len(listed) > 1 else None,
            "low": min(listed),
            "high": max(listed),
        }
    return {"seeds": list(by_seed), "metrics": found}


def _refuse_unlike(by_seed: Mapping[int, EvaluationResult]) -> None:
    for (first, one), (other, result) in pairwise(by_seed.items()):
        for what in unlike(one.environment, result.environment)[:1]:
            raise ArtifactError(
                say(
                    f"seeds {first} and {other} were scored with unlike {what}; run the experiment again",
                    f"씨앗 {first}과(와) {other}의 {what}이(가) 다릅니다. 실험을 다시 실행하세요",
                )
            )


def spread_text(spread: Mapping[str, Any] | None, name: str) -> str:
    """`±0.01 over 3 seeds [0.2, 0.22]`, of one metric; nothing where there is none."""
    found = (spread or {}).get("metrics", {}).get(name)
    if found is None or found["sd"] is None:
        return ""
    count, ends = len(found["values"]), f"[{found['low']:.4g}, {found['high']:.4g}]"
    return say(f"±{found['sd']:.2g} over {count} seeds {ends}", f"씨앗 {count}개에서 ±{found['sd']:.2g} {ends}")
