"""One metric over answered rows: its value, interval and floor. What it cannot measure is told and costs no other score."""

import logging
import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import DadeumError, ModelError
from dadeum.core.language import say
from dadeum.evaluate.metrics import METRICS, Scored, Value
from dadeum.evaluate.rows import spread
from dadeum.evaluate.statistics import interval, standard_error, total

logger = logging.getLogger("dadeum")
# A floor needs no more rows to be read beside a score.
FLOOR_ROWS = 200
NAMED = 5  # rows that are named in a sentence

Tell = Callable[[str], None]


def runnable(settings: EvaluateSettings, tell: Tell) -> list[tuple[Any, Any]]:
    """Members with their settings. What cannot run (its model was removed since the plan) is told and left out."""
    found = []
    for metric in settings.metrics:
        member = METRICS.of(metric)
        try:
            if hasattr(member, "ready"):
                member.ready(metric)
        except DadeumError as error:
            tell(_left_out(metric.type, error))
        else:
            found.append((member, metric))
    return found


def measure(
    member: Any,
    metric: Any,
    scored: Sequence[Any],
    samples: Sequence[dict[str, Any]],
    settings: EvaluateSettings,
    prefix: str = "",
    tell: Tell = logger.warning,
) -> dict[str, dict[str, Any]]:
    """The metrics of one member, their names after `prefix`; each sample gets its rows. `tell` hears what is not measured.

    Raises ModelError where a likelihood is not finite: then the weights are damaged, and no score of them is any good.
    """
    try:
        values = _values(member, metric, scored, samples, tell)
        groups = [sample.get("group") for sample in samples]
        floors = _floors(member, metric, scored) if member.floored and values else {}
        found = {
            f"{prefix}{name}": one
            for name, value in values.items()
            if value.n and (one := _one(member, metric, value, floors.get(name), settings, groups))
        }
    except DadeumError as error:
        if member.needs != "answer":
            raise
        tell(_left_out(metric.type, error))
        return {}
    for note in dict.fromkeys(value.note for value in values.values() if value.note):
        tell(f"{metric.type}: {note}")
    for name, value in values.items():
        for sample, row in zip(samples, value.rows, strict=True):
            if row is not None and f"{prefix}{name}" in found:
                sample["statistics"][f"{prefix}{name}"] = list(row)
    return found


def nothing_measured(settings: EvaluateSettings, metrics: Mapping[str, Mapping[str, Any]], told: Sequence[str]) -> str:
    """A sentence with the metrics that have no value and of which nothing was said; nothing where there are none."""
    have = {metric["metric"] for metric in metrics.values()}
    names = [
        m.type for m in settings.metrics if m.type not in have and not any(t.startswith(f"{m.type}:") for t in told)
    ]
    if not names:
        return ""
    listed = ", ".join(names)
    return say(
        f"{listed}: no test row has what is measured (a reference answer that is not blank, or another that fits)",
        f"{listed}: 잴 것이 있는 시험 행이 없습니다 (빈칸이 아닌 기준 답 등)",
    )


def blank_references(scored: Sequence[Scored]) -> str:
    """A sentence with how many references are blank; nothing where none is."""
    count = sum(one.reference is not None and not one.reference.strip() for one in scored)
    if not count:
        return ""
    return say(
        f"the reference answers of {count} rows are blank: these rows do not count where answers are held against references",
        f"{count}행의 기준 답이 비어 있어, 기준 답과 견주는 지표에서 뺍니다",
    )


def _values(
    member: Any, metric: Any, scored: Sequence[Any], samples: Sequence[dict[str, Any]], tell: Tell
) -> dict[str, Value]:
    """The statistics of all rows; a row that the metric's library cannot take is left out, and told by number."""
    try:
        found: dict[str, Value] = member.score(metric, scored)
        return found
    except DadeumError:
        raise
    except Exception as error:
        logger.exception("%s", metric.type)
        first = error
    good, bad = [], []
    for place in range(len(scored)):
        try:
            member.score(metric, [scored[place]])
            good.append(place)
        except Exception:
            bad.append(place)
    reason = " ".join(f"{type(first).__name__}: {first}".split())[:200]
    if not good or not bad:
        tell(_left_out(metric.type, reason))
        return {}
    try:
        found = member.score(metric, [scored[place] for place in good])
    except Exception as error:
        tell(_left_out(metric.type, f"{type(error).__name__}: {error}"))
        return {}
    named = ", ".join(str(_number(samples[place], place)) for place in bad[:NAMED]) + (" …" if len(bad) > NAMED else "")
    tell(
        say(
            f"{metric.type}: {len(bad)} rows cannot be measured and are left out (test row {named}): {reason}",
            f"{metric.type}: {len(bad)}행은 잴 수 없어 뺍니다 (시험 행 {named}): {reason}",
        )
    )
    return {name: _spread_out(value, good, len(scored)) for name, value in found.items()}


def _floors(member: Any, metric: Any, scored: Sequence[Scored]) -> dict[str, Value]:
    strangers = _strangers(scored)
    return _values(member, metric, strangers, [{}] * len(strangers), logger.debug) if strangers else {}


def _spread_out(value: Value, places: Sequence[int], count: int) -> Value:
    rows = dict(zip(places, value.rows, strict=True))
    return Value(tuple(rows.get(place) for place in range(count)), value.signature, value.note)


def _number(sample: Mapping[str, Any], place: int) -> int:
    number = sample.get("source_row")
    return place if number is None else int(number)


def _one(
    member: Any,
    metric: Any,
    value: Value,
    floor: Value | None,
    settings: EvaluateSettings,
    groups: Sequence[str | None],
) -> dict[str, Any]:
    """What an evaluation says of a metric; rows of one of the `groups` are drawn together."""
    whole = [(row, group) for row, group in zip(value.rows, groups, strict=True) if row is not None]
    rows, names = [row for row, _ in whole], [group for _, group in whole]
    span = interval(rows, member, draws=settings.bootstrap, seed=settings.seed, groups=names)
    found = {
        "value": _total(value, member),
        "signature": value.signature,
        "higher_is_better": member.higher_is_better,
        "n": value.n,
        "unit": member.unit,
        "metric": metric.type,
        "interval": [span.low, span.high],
        "standard_error": standard_error(rows, member, names),
    }
    if span.how != "bca":
        found["interval_how"] = span.how
    # Of a few rows another tokenizer may be chosen than of all: that floor would be none of this score.
    if floor is not None and floor.n and floor.signature == value.signature:
        found["floor"] = _total(floor, member)
    return found


def _strangers(scored: Sequence[Scored]) -> list[Scored]:
    """Predictions beside the references of other rows, at most FLOOR_ROWS of them: what is reached without knowing.

    Drawn, the same for every model: neighbours in a file are often on one subject, and beside them anything looks good.
    """
    whole = [s for s in scored if s.prediction is not None and s.reference is not None and s.reference.strip()]
    kept = [whole[i] for i in spread(len(whole), FLOOR_ROWS)]
    if len(kept) < 2:
        return []
    return [
        Scored(one.prediction, other.reference, question=other.question, references=other.references)
        for one, other in zip(kept, [kept[i] for i in others(len(kept))], strict=True)
    ]


def others(count: int) -> list[int]:
    """For each of `count` places another one, drawn from all ways to do so in one circle (Sattolo 1986)."""
    draw, places = random.Random(0), list(range(count))
    for last in range(count - 1, 0, -1):
        at = draw.randrange(last)
        places[last], places[at] = places[at], places[last]
    return places


def _total(value: Value, member: Any) -> float:
    found = total(member, [row for row in value.rows if row is not None])
    if not math.isfinite(found):
        raise ModelError(
            say(
                f"{value.signature}: is not finite; the weights are damaged",
                f"{value.signature}: 유한하지 않습니다. 가중치가 손상되었습니다",
            )
        )
    return found


def _left_out(name: str, reason: object) -> str:
    return say(f"{name}: is left out: {reason}", f"{name}: 빼고 잽니다: {reason}")
