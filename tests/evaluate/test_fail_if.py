"""Conditions for CI: read, refused before anything is generated, judged on the last model."""

from typing import Any

import pytest

from dadeum.core.errors import ConfigError
from dadeum.evaluate.fail_if import check, condition, judge, known, named

NAMES = ("small", "large")


def found(**more: Any) -> dict[str, Any]:
    held = {"difference": -0.1, "low": -0.2, "high": -0.05, "clear": True}
    metric = {
        "name": "rougeL",
        "values": {"small": 0.3, "large": 0.2},
        "intervals": {"small": [0.2, 0.4], "large": [0.1, 0.25]},
        "differences": {"large": held},
        "ranked": True,
        **more,
    }
    return {"models": list(NAMES), "metrics": [metric]}


@pytest.mark.parametrize("name", ["rougeL", "rouge_l", "ROUGE-L", "rougel"])
def test_a_metric_is_known_however_it_is_spelt(name: str) -> None:
    assert named(name) == "rougeL" == condition(f"{name}<base").metric
    assert named("area.f1_macro") == "area.f1_macro" and named("rougeX") is None
    assert known()["rougeL"] == "rouge" and known()["bits_per_byte"] == "bits_per_byte"


@pytest.mark.parametrize(
    ("text", "holds", "said"),
    [
        ("rougeL < base", True, "large 0.2 (difference -0.1 [-0.2, -0.05]) < small 0.3: holds, clear"),
        ("rougeL < small", True, "holds, clear"),
        ("rougeL >= base", False, "does not hold"),
        ("rougeL < 0.2", False, "large 0.2 [0.1, 0.25] < 0.2: does not hold, unclear"),
        ("rougeL <= 0.2", True, "holds, unclear"),
        ("rougeL > 0.05", True, "holds, clear"),
    ],
)
def test_the_last_models_value_is_judged(text: str, holds: bool, said: str) -> None:
    one = judge(condition(text), found(), NAMES)
    assert one.holds == holds and said in one.sentence and one.sentence.startswith(f"--fail-if {text}: rougeL ")


def test_against_another_than_the_first_no_interval_is_known() -> None:
    three = found(values={"small": 0.3, "mid": 0.1, "large": 0.2})
    one = judge(condition("rougeL > mid"), three, ("small", "mid", "large"))
    assert one.holds and "> mid 0.1: holds" in one.sentence and "clear" not in one.sentence


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rougeL", "expected METRIC < MODEL or METRIC < NUMBER"),
        ("rougeL = base", "expected METRIC < MODEL"),
        ("roug_L2 < base", "there is no metric 'roug_L2'; did you mean 'rouge"),
        ("rouge < base", "there is no metric 'rouge'; did you mean 'rouge"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        condition(text)
    assert why in str(refused.value) and f"--fail-if '{text}'" in str(refused.value)


def test_what_cannot_be_judged_is_refused_before_anything_is_generated() -> None:
    with pytest.raises(
        ConfigError, match="'smal' is no number and none of the models: small, large; did you mean 'small'"
    ):
        check([condition("rougeL < smal")], NAMES, ["rouge"])
    for never in ("nan", "inf", "-inf"):  # nothing is below, and CI would pass whatever happens
        with pytest.raises(ConfigError, match=f"'{never}' is no number"):
            check([condition(f"rougeL < {never}")], NAMES, ["rouge"])
    with pytest.raises(ConfigError, match=r"chrf is not measured here; add chrf to evaluate\.metrics"):
        check([condition("chrf < 20")], NAMES, ["rouge"])
    check([condition("rougeL < base"), condition("rouge1 > 0.5"), condition("chrf < tuned")], NAMES, ["rouge", "chrf"])
    check([condition("head.f1_macro < base")], NAMES, None)


def test_what_turns_out_to_have_no_value_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="chrf has no value here"):
        judge(condition("chrf < 20"), found(), NAMES)
    with pytest.raises(ConfigError, match="not ranked; use bits_per_byte"):
        judge(condition("rougeL < base"), found(ranked=False), NAMES)
    with pytest.raises(ConfigError, match="of small has no value"):
        judge(condition("rougeL < base"), found(values={"large": 0.2}), NAMES)
