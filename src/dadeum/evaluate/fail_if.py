"""`--fail-if "rougeL < base"`: a condition on the last model that makes a comparison fail, for CI.

METRIC OP (MODEL | NUMBER), OP one of < <= > >=. What is compared are the values; whether the interval of the difference
leaves zero out is said beside it.
"""

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.evaluate.metrics import METRICS

FORM = re.compile(r"\s*(\S+?)\s*(<=|>=|<|>)\s*(.+?)\s*")
HOW = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
FIRST, LAST = "base", "tuned"  # what the first and the last model are called where none has that name


@dataclass(frozen=True)
class Condition:
    """One condition as it was typed, and what it means. `bound` is the name of a model, or a number."""

    text: str
    metric: str
    how: str
    bound: str | float


@dataclass(frozen=True)
class Judged:
    """Whether a condition holds, as a sentence."""

    holds: bool
    sentence: str


def condition(text: str) -> Condition:
    """A condition read. Raises ConfigError for what is none, and for a metric that there is not."""
    found = FORM.fullmatch(text)
    if found is None:
        raise _refused(
            text, say("expected METRIC < MODEL or METRIC < NUMBER", "'지표 < 모델' 또는 '지표 < 숫자'로 쓰세요")
        )
    name, how, bound = found.groups()
    metric = named(name)
    if metric is None:
        near = hint(_near(name))
        raise _refused(text, say(f"there is no metric '{name}'{near}", f"'{name}' 지표는 없습니다{near}"))
    try:
        number = float(bound)
    except ValueError:
        number = math.nan
    # `nan` and `inf` would never make anything fail; as names of models they are refused.
    return Condition(text, metric, how, number if math.isfinite(number) else bound)


def known() -> dict[str, str]:
    """Every name of a value, and the metric that gives it."""
    return {key: name for name in METRICS.names for key in METRICS.member(name).keys}


def named(text: str) -> str | None:
    """The value that is meant: `rouge_l`, `rouge-L` and `ROUGEL` are `rougeL`; of several heads `head.f1_macro`."""
    head, dot, key = text.rpartition(".")
    found = next((name for name in known() if _plain(name) == _plain(key)), None)
    return None if found is None else f"{head}{dot}{found}"


def _plain(name: str) -> str:
    return re.sub(r"[_\-\s]", "", name).lower()


def _near(name: str) -> str | None:
    """The name that is nearly this one, or begins so: `rouge` means one of several."""
    there = list(known())
    return nearest(name, there) or next((key for key in there if key.lower().startswith(name.lower())), None)


def check(conditions: Sequence[Condition], names: Sequence[str], measured: Sequence[str] | None) -> None:
    """Before anything is generated. Raises ConfigError for a model that is not compared, and for a metric that none of the
    `measured` metrics gives (None: not known yet)."""
    of = known()
    for one in conditions:
        if isinstance(one.bound, str) and _model(one.bound, names) is None:
            near, there = hint(nearest(one.bound, names)), ", ".join(names)
            sentence = say(
                f"'{one.bound}' is no number and none of the models: {there}{near}",
                f"'{one.bound}'은(는) 숫자도 아니고 비교하는 모델({there})도 아닙니다{near}",
            )
            raise _refused(one.text, sentence)
        member = of[one.metric.rpartition(".")[2]]
        if measured is not None and member not in measured:
            raise _refused(
                one.text,
                say(
                    f"{one.metric} is not measured here; add {member} to evaluate.metrics",
                    f"{one.metric}은(는) 여기서 재지 않습니다. evaluate.metrics에 {member}을(를) 더하세요",
                ),
            )


def _model(text: str, names: Sequence[str]) -> str | None:
    if text in names:
        return text
    return {FIRST: names[0], LAST: names[-1], "first": names[0], "last": names[-1]}.get(text)


def judge(one: Condition, found: Mapping[str, Any], names: Sequence[str]) -> Judged:
    """Whether the last of the `names` fulfils the condition in `comparison.json`. Raises ConfigError where there is no value."""
    last = names[-1]
    metric = next((m for m in found["metrics"] if m["name"] == one.metric), None)
    if metric is None or last not in metric["values"]:
        raise _refused(one.text, say(f"{one.metric} has no value here", f"여기에는 {one.metric} 값이 없습니다"))
    value = metric["values"][last]
    if isinstance(one.bound, float):
        low, high = metric["intervals"][last]
        holds = HOW[one.how](value, one.bound)
        beside = f"[{low:.4g}, {high:.4g}]"
        return Judged(
            holds,
            _sentence(one, last, f"{value:.4g} {beside}", f"{one.bound:.4g}", holds, not low <= one.bound <= high),
        )
    other = _model(one.bound, names) or one.bound
    if other not in metric["values"]:
        raise _refused(one.text, say(f"{one.metric} of {other} has no value", f"{other}의 {one.metric} 값이 없습니다"))
    if not metric["ranked"]:
        raise _refused(
            one.text,
            say(
                f"{one.metric} counts tokens of unlike tokenizers and is not ranked; use bits_per_byte",
                f"{one.metric}은(는) 토크나이저가 달라 비교하지 않습니다. bits_per_byte를 쓰세요",
            ),
        )
    holds = HOW[one.how](value, metric["values"][other])
    held = metric["differences"].get(last) if other == found["models"][0] else None
    beside, clear = "", None
    if held is not None:
        word = say("difference", "차이")
        beside = f" ({word} {held['difference']:+.4g} [{held['low']:+.4g}, {held['high']:+.4g}])"
        clear = held["clear"]
    return Judged(
        holds, _sentence(one, last, f"{value:.4g}{beside}", f"{other} {metric['values'][other]:.4g}", holds, clear)
    )


def _sentence(one: Condition, last: str, value: str, bound: str, holds: bool, clear: bool | None) -> str:
    verdict = say("holds", "성립") if holds else say("does not hold", "성립하지 않음")
    sure = "" if clear is None else f", {say('clear', '분명') if clear else say('unclear', '불분명')}"
    return f"--fail-if {one.text}: {one.metric} {last} {value} {one.how} {bound}: {verdict}{sure}"


def _refused(text: str, why: str) -> ConfigError:
    return ConfigError(f"--fail-if '{text}': {why}")
