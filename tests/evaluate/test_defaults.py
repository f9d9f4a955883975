"""Which metrics go with which labels."""

import pytest

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import ConfigError
from dadeum.evaluate.defaults import USUAL, refuse_unfit, usual
from dadeum.evaluate.metrics import METRICS


def settings(*metrics: str) -> EvaluateSettings:
    return EvaluateSettings.model_validate({"metrics": list(metrics)})


def test_what_is_usual_can_be_measured() -> None:
    for kind, names in USUAL.items():
        assert all(kind in METRICS.member(name).of for name in names)
        refuse_unfit(settings(*names), "labels", [kind])
    assert usual(["class", "numbers", "class"]) == ["accuracy", "f1", "auroc", "pearson", "spearman", "mae", "rmse"]


@pytest.mark.parametrize(
    ("metrics", "gives", "kinds", "reason"),
    [
        (
            ("accuracy",),
            "tokens",
            [],
            r"'accuracy' cannot be measured of what the head gives \(tokens\); expected some of: articles, .*bits_per_byte",
        ),
        (("rouge",), "labels", ["class"], r"'rouge' .* \(class\); expected some of: accuracy, auroc, f1$"),
        (("accuracy", "pearson"), "labels", ["class"], r"'pearson' cannot be measured"),
        (("accuracy",), "scores", ["pair"], r"\(pair\); expected some of: pair_accuracy$"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(
    metrics: tuple[str, ...], gives: str, kinds: list[str], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        refuse_unfit(settings(*metrics), gives, kinds)


def test_what_one_of_several_heads_can_be_measured_by_is_taken() -> None:
    refuse_unfit(settings("accuracy", "pearson"), "labels", ["class", "numbers"])
    refuse_unfit(settings("rouge", "perplexity"), "tokens", [])
