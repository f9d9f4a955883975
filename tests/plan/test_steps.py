"""dadeum.plan.steps: what a step is made of, and what is told when that changed."""

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from dadeum.core.fingerprint import SHORT
from dadeum.plan.steps import Step, flat, why_stale


def test_fingerprint_is_of_name_and_parts_only() -> None:
    step = Step("train", {"a": 1, "b": [1, 2]})
    assert (
        step.fingerprint == Step("train", {"b": [1, 2], "a": 1}, fresh=True, why="x", forecast={"rows": 3}).fingerprint
    )
    assert step.fingerprint != Step("eval", {"a": 1, "b": [1, 2]}).fingerprint
    assert step.fingerprint != Step("train", {"a": 1, "b": [2, 1]}).fingerprint
    assert step.short == step.fingerprint[:SHORT]
    with pytest.raises(FrozenInstanceError):
        step.fresh = True  # type: ignore[misc]


def test_flat_gives_the_keys_that_users_write() -> None:
    tree = {"split": {"test": 0.1, "more": {"x": None}}, "sources": [{"type": "csv"}], "kwargs": {}}
    assert flat(tree, "data") == {
        "data.split.test": 0.1,
        "data.split.more.x": None,
        "data.sources": [{"type": "csv"}],
        "data.kwargs": {},
    }


def test_flat_tells_an_empty_mapping_from_a_filled_one() -> None:
    assert flat({"kwargs": {}}, "a") != flat({"kwargs": {"x": None}}, "a")


@pytest.mark.parametrize(
    ("old", "new", "english", "korean"),
    [
        (None, {"a": 1}, "not made yet", "아직 만들지 않음"),
        ({"a": 1}, {"a": 1}, "its result is gone or damaged", "결과가 없어졌거나 손상됨"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "changed: b", "바뀜: b"),
        ({"a": None}, {}, "changed: a", "바뀜: a"),
        ({}, {"a": None}, "changed: a", "바뀜: a"),
        ({"gone": 1}, {"new": 1}, "changed: new, gone", "바뀜: new, gone"),
        ({}, dict.fromkeys("abcde", 1), "changed: a, b, c and 2 more", "바뀜: a, b, c 외 2개"),
    ],
)
def test_why_stale(
    old: dict[str, Any] | None, new: dict[str, Any], english: str, korean: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert why_stale(old, new) == english
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert why_stale(old, new) == korean
