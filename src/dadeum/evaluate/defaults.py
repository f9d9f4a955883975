"""Which metrics go with which labels. Imports nothing heavy: what cannot be measured is refused before anything is made."""

from collections.abc import Sequence
from typing import Any

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.evaluate.metrics import METRICS

FEW = 10  # fewer rows, or contexts, make nobody sure: no interval of a category, no verdict
USUAL = {
    "class": ("accuracy", "f1", "auroc"),
    "classes": ("accuracy", "f1", "auroc"),
    "numbers": ("pearson", "spearman", "mae", "rmse"),
    "words": ("entity_f1", "f1", "accuracy"),
    "choice": ("accuracy",),
    "pair": ("pair_accuracy",),
}


def usual(kinds: Sequence[str]) -> list[str]:
    """The metrics that are usual for heads of these kinds, by name."""
    return list(dict.fromkeys(name for kind in kinds for name in USUAL[kind]))


def refuse_unfit(settings: EvaluateSettings, gives: str, kinds: Sequence[str]) -> None:
    """Raises ConfigError for a metric of labels where a model gives tokens, and for one that fits none of the `kinds`."""
    wrong = next((metric for metric in settings.metrics if not _fits(metric.type, gives, kinds)), None)
    if wrong is None:
        return
    what = gives if gives == "tokens" else ", ".join(dict.fromkeys(kinds))
    fitting = ", ".join(name for name in METRICS.names if _fits(name, gives, kinds))
    raise ConfigError(
        say(
            f"evaluate.metrics: '{wrong.type}' cannot be measured of what the head gives ({what}); expected some of: {fitting}",
            f"evaluate.metrics: '{wrong.type}'은(는) 이 헤드가 주는 것({what})으로 잴 수 없습니다. 다음 가운데 고르세요: {fitting}",
        )
    )


def refuse_missing(settings: EvaluateSettings) -> None:
    """Raises DadeumError for the first metric that cannot run here: a package or a model that it needs is not there."""
    for metric in settings.metrics:
        member: Any = METRICS.of(metric)
        if hasattr(member, "ready"):
            member.ready(metric)


def _fits(name: str, gives: str, kinds: Sequence[str]) -> bool:
    member: Any = METRICS.member(name)
    if member.needs != "labels":
        return gives == "tokens"
    return gives != "tokens" and not set(member.of).isdisjoint(kinds)
