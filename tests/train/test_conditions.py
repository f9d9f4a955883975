"""The first field that differs is named by the words that users write."""

import pytest

from dadeum.core.errors import TrainError
from dadeum.train.conditions import first_difference, require_same

THEN = {"fingerprint": "a", "threads": 2, "train": {"learning_rate": 1e-4, "optim": {"adam_beta2": 0.99}}}


def test_equal_conditions_pass() -> None:
    require_same(THEN, dict(THEN), "step-000010")
    assert first_difference(THEN, THEN) is None


def test_a_part_is_named_before_the_whole_fingerprint() -> None:
    now = {**THEN, "fingerprint": "b", "train": {**THEN["train"], "optim": {"adam_beta2": 0.95}}}
    with pytest.raises(TrainError, match=r"step-000010.*'train\.optim\.adam_beta2' was 0\.99 and now is 0\.95"):
        require_same(THEN, now, "step-000010")


def test_a_field_that_came_or_went_is_a_difference() -> None:
    assert first_difference({"a": 1}, {"a": 1, "b": 2}) == ("b", None, 2)
    assert first_difference({"a": 1, "b": 2}, {"a": 1}) == ("b", 2, None)


def test_only_the_fingerprint_differs() -> None:
    with pytest.raises(TrainError, match="'fingerprint'"):
        require_same(THEN, {**THEN, "fingerprint": "b"}, "step-000010")
