"""What lm-eval found, in the words of an evaluation of ours: values, standard errors, hashes, a row a document."""

import hashlib
import math
import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.fingerprint import fingerprint, version, versions
from dadeum.core.language import say
from dadeum.evaluate.harness_metric import MEAN, Mean
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.statistics import interval, standard_error
from dadeum.evaluate.task import HarnessTask

if TYPE_CHECKING:
    from dadeum.generate.engine import Engine

CLOSE = 1e-9  # a score that is the mean of its rows is so to rounding
LONGEST = 4000  # characters of a prompt that is kept


@dataclass(frozen=True)
class Asked:
    """How a task was put to which model."""

    task: HarnessTask
    chat: bool
    engine: "Engine"
    settings: EvaluateSettings


def result_of(found: Mapping[str, Any], asked: Asked) -> EvaluationResult:
    """The results of `simple_evaluate` for one task or group."""
    parts = [name for name in found["results"] if found["samples"].get(name)]
    several = len(parts) > 1
    documents = [
        _sample(name, doc, several) | {"statistics": {}} for name in parts for doc in _documents(found["samples"][name])
    ]
    at = {(s["task"], s["doc_id"]): s for s in documents}
    metrics: dict[str, dict[str, Any]] = {}
    for name in parts:
        for key, value in _scores(found["results"][name]):
            metrics |= _metric(name, key, value, found, asked, at, several)
    for group, values in (found.get("groups") or {}).items():
        for key, value in _scores(values):
            if (whole := _of_group(group, key, value, values, found, asked, metrics, documents)) is not None:
                metrics |= whole
    return EvaluationResult(
        model=asked.engine.name,
        dataset=asked.task.name,
        metrics=metrics,
        samples=documents,
        environment=_environment(found, asked, documents, parts),
        notes=[*_notes(metrics), *_kept(found["n-shot"], parts, asked.task.choice.shots)],
        seconds=0.0,
    )


def _notes(metrics: Mapping[str, dict[str, Any]]) -> list[str]:
    bare = [name for name, metric in metrics.items() if metric["interval"] is None]
    if not bare:
        return []
    return [
        say(
            f"{', '.join(bare)}: lm-eval makes it of all documents at once, so there is no interval",
            f"{', '.join(bare)}: lm-eval이 모든 문서를 모아 계산하므로 구간이 없습니다",
        )
    ]


def _kept(shots: Mapping[str, int], parts: Sequence[str], wanted: int | None) -> list[str]:
    """Of tasks that say 0 examples themselves: lm-eval asks so whatever is wanted, and remarks on it in its log only."""
    other = [name for name in parts if wanted not in (None, shots.get(name))]
    if not other:
        return []
    names, found = ", ".join(other), shots.get(other[0])
    return [
        say(
            f"{names}: asked with {found} examples and not {wanted}: the task's own num_fewshot says so, and lm-eval keeps it",
            f"{names}: 예시 {wanted}개가 아니라 {found}개로 물었습니다. 과제의 num_fewshot이 그렇고 lm-eval은 이를 따릅니다",
        )
    ]


def _documents(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each document once, with what all filters made of it."""
    found: dict[int, dict[str, Any]] = {}
    for sample in samples:
        found.setdefault(sample["doc_id"], sample)
    return list(found.values())


def _scores(values: Mapping[str, Any]) -> list[tuple[str, float]]:
    """`acc,none` and its value, without errors and names."""
    return [
        (key, float(value))
        for key, value in values.items()
        if "," in key and "_stderr," not in key and isinstance(value, int | float) and math.isfinite(value)
    ]


def _sample(name: str, doc: Mapping[str, Any], several: bool) -> dict[str, Any]:
    said = doc["filtered_resps"]
    first = doc["arguments"][0]
    prompt = str(first[0] if isinstance(first, list | tuple) else first)
    text = said[0] if len(said) == 1 and isinstance(said[0], str) else None
    return {
        "task": name,
        "doc_id": doc["doc_id"],
        "prompt": prompt[:LONGEST],
        "question": prompt[:LONGEST],
        "reference": str(doc["target"]),
        "prediction": text,
        "asked": doc["doc_hash"],
        "prompt_sha256": doc["prompt_hash"],
        "target_sha256": doc["target_hash"],
        **({"category": name} if several else {}),
    }


def _signature(name: str, key: str, found: Mapping[str, Any], asked: Asked) -> str:
    metric, _, filtered = key.partition(",")
    parts = {
        "lm-eval": version("lm-eval"),
        "task": name,
        "version": found["versions"].get(name),
        "shots": found["n-shot"].get(name),
        "chat": "yes" if asked.chat else "no",
        "filter": filtered,
    }
    return "|".join([metric, *(f"{part}:{value}" for part, value in parts.items())])


def _metric(
    name: str,
    key: str,
    value: float,
    found: Mapping[str, Any],
    asked: Asked,
    at: Mapping[tuple[str, int], dict[str, Any]],
    several: bool,
) -> dict[str, dict[str, Any]]:
    metric, _, filtered = key.partition(",")
    shown = (f"{name}/" if several else "") + metric + ("" if filtered == "none" else f"@{filtered}")
    samples = [s for s in found["samples"][name] if s["filter"] == filtered and metric in s]
    rows = {s["doc_id"]: s[metric] for s in samples}
    higher = bool((found["higher_is_better"].get(name) or {}).get(metric, True))
    made = {
        "value": value,
        "signature": _signature(name, key, found, asked),
        "higher_is_better": higher,
        "n": len(rows),
        "unit": "",
        "metric": MEAN,
        "interval": None,
        "standard_error": None,
    }
    if not _is_mean(list(rows.values()), value):
        return {shown: made}
    for doc, one in rows.items():
        at[name, doc]["statistics"][shown] = [float(one), 1.0]
    made |= _spread([float(one) for one in rows.values()], higher, asked.settings)
    return {shown: made}


def _is_mean(values: list[Any], value: float) -> bool:
    numbers = [float(v) for v in values if isinstance(v, int | float)]
    return bool(numbers) and len(numbers) == len(values) and abs(sum(numbers) / len(numbers) - value) < CLOSE


def _spread(values: list[float], higher: bool, settings: EvaluateSettings) -> dict[str, Any]:
    """Interval and standard error of a mean, the error as lm-eval has it: the sample's deviation ÷ √n."""
    rows = [(value, 1.0) for value in values]
    low, high = interval(rows, Mean(higher), draws=settings.bootstrap, seed=settings.seed)[:2]
    return {"interval": [low, high], "standard_error": standard_error(rows, Mean(higher))}


def _of_group(
    group: str,
    key: str,
    value: float,
    values: Mapping[str, Any],
    found: Mapping[str, Any],
    asked: Asked,
    metrics: Mapping[str, dict[str, Any]],
    documents: list[dict[str, Any]],
) -> dict[str, dict[str, Any]] | None:
    """The score of a group; with rows where it is the mean over all documents of its tasks."""
    metric, _, filtered = key.partition(",")
    tail = metric + ("" if filtered == "none" else f"@{filtered}")
    shown = tail if group == asked.task.inner else f"{group}/{tail}"
    if shown in metrics:
        return None
    ours = [name for name in metrics if name.endswith(f"/{tail}")]
    rows = [
        (s, row[0])
        for s in documents
        if (row := next((s["statistics"][n] for n in ours if n in s["statistics"]), None))
    ]
    higher = all(metrics[name]["higher_is_better"] for name in ours)
    made = {
        "value": value,
        "signature": _signature(group, key, found, asked),
        "higher_is_better": higher,
        "n": sum(metrics[name]["n"] for name in ours),
        "unit": "",
        "metric": MEAN,
        "interval": None,
        "standard_error": None,
    }
    if _is_mean([one for _, one in rows], value):
        for sample, one in rows:
            sample["statistics"][shown] = [one, 1.0]
        made |= _spread([one for _, one in rows], higher, asked.settings) | {"n": len(rows)}
    return {shown: made}


def _environment(
    found: Mapping[str, Any], asked: Asked, documents: list[dict[str, Any]], parts: list[str]
) -> dict[str, Any]:
    engine, settings = asked.engine, asked.settings
    hashes: dict[str, list[str]] = defaultdict(list)
    for sample in documents:
        hashes["questions"].append(f"{sample['task']}:{sample['asked']}")
        hashes["targets"].append(sample["target_sha256"])
        hashes["prompts"].append(sample["prompt_sha256"])
    return {
        "versions": {**versions(), "lm-eval": version("lm-eval")},
        "python": platform.python_version(),
        "device": str(engine.device),
        "dtype": str(engine.dtype).removeprefix("torch."),
        "decoding": {"by": "lm-eval", "limit": found["config"].get("limit"), "chat_template": asked.chat},
        "batch_size": settings.batch_size,
        "seed": settings.seed,
        "seeds": {key: found["config"].get(key) for key in ("random_seed", "numpy_seed", "torch_seed", "fewshot_seed")},
        "context": engine.context,
        "stop_ids": list(engine.stop_ids),
        "template_sha256": engine.contract.template_sha256 if asked.chat else "",
        "tokenizer_sha256": hashlib.sha256(engine.tokenizer.backend_tokenizer.to_str().encode()).hexdigest(),
        "questions_sha256": fingerprint(hashes["questions"]),
        "targets_sha256": fingerprint(hashes["targets"]),
        "prompts_sha256": fingerprint(hashes["prompts"]),
        "few_shot": None,
        "task": {
            "name": asked.task.name,
            "tasks": {
                name: {"version": found["versions"].get(name), "shots": found["n-shot"].get(name)} for name in parts
            },
        },
    }
