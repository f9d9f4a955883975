"""dadeum.config.problems: pydantic's findings as users read them. (The table of bad files is in test_load.py.)"""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.config.experiment import Experiment
from dadeum.config.problems import EXPECTED, at, inner, known_keys, shown, translate
from dadeum.core.family import Family

RAW: dict[str, Any] = {
    "adapter": "lora",
    "data": {"sources": [{"type": "csv", "path": "a"}, {"type": "text", "path": "b"}, "jsonl"], "prompt": {}},
    "train": {"optim": {"type": "adamw"}},
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        ("a\nb", "'a\\nb'"),
        (None, "null"),
        (True, "true"),
        (1e-5, "1e-05"),
        ({}, "a mapping"),
        ([], "a list"),
        ("x" * 100, "'" + "x" * 56 + "…'"),
    ],
)
def test_shown(value: Any, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("place", "there"),
    [((), True), (("data", "sources", 2), True), (("data", "sources", 3), False), (("data", "sources", "0"), False), (("adapter", 0), False), (("data", "x"), False)],
)  # fmt: skip
def test_at(place: tuple[str | int, ...], there: bool) -> None:
    assert at(RAW, place) is there


@pytest.mark.parametrize(
    ("place", "some", "not_there"),
    [
        ((), "adapter", "seed"),
        (("train",), "seed", "name"),
        (("train", "optim"), "adam_beta1", "seed"),
        (("adapter",), "lora_alpha", "name"),
        (("data", "sources", 0), "path", "sources"),
        (("data", "sources", 2), "path", "sources"),
        (("data", "prompt"), "training_columns", "sources"),
        (("data", "prompt", "messages_format"), "messages", "training_columns"),
    ],
)
def test_known_keys_follow_sections_and_members(place: tuple[str | int, ...], some: str, not_there: str) -> None:
    keys = known_keys(Experiment, RAW, place)
    assert some in keys
    assert not_there not in keys


@pytest.mark.parametrize("place", [("nothing",), ("data", "sources", 9), ("data", "max_length"), ("adapter", "r", "x")])
def test_where_nothing_is_known(place: tuple[str | int, ...]) -> None:
    assert known_keys(Experiment, RAW, place) == []


def test_inner_tells_members_from_sections() -> None:
    assert isinstance(inner(Experiment, "adapter"), Family)
    assert inner(Experiment, "train") is Experiment.model_fields["train"].annotation
    assert inner(Experiment, "name") is None
    assert inner(None, "name") is None


def test_every_limit_of_the_settings_has_its_words() -> None:
    """Whatever kind of error pydantic may find in our settings is translated, not shown raw."""
    wrong: dict[str, list[Any]] = {
        "name": [1, "", "x" * 101], "model": [1, {"init": 1, "dtype": "x", "trust_remote_code": 1, "config": 1}],
        "data": [1, {"sources": 1, "max_length": "x", "split": {"test": 2, "validation": -1, "seed": 2**40}, "prompt": 1, "chat_template_kwargs": []}, {"sources": []}],
        "train": [{"seed": 1.5, "max_grad_norm": "x", "learning_rate": float("inf"), "max_steps": 0, "precision": 1}],
        "evaluate": [{"metrics": [1, {}, {"type": 1}], "limit": 0, "bootstrap": 1}],
        "export": ["merged", [None]],
    }  # fmt: skip
    kinds = set()
    for key, values in wrong.items():
        for value in values:
            with pytest.raises(ValidationError) as caught:
                Experiment.model_validate({key: value})
            kinds |= {e["type"] for e in caught.value.errors()}
            assert all(str(p) for p in translate(caught.value, Experiment, {key: value}, {}, "f"))
    assert kinds - set(EXPECTED) - {"missing", "extra_forbidden", "unknown_member", "value_error"} == set()
    assert len(kinds) > 15


def test_a_fault_without_a_line_names_the_file() -> None:
    with pytest.raises(ValidationError) as caught:
        Experiment.model_validate({"name": 1})
    told = [str(p) for p in translate(caught.value, Experiment, {"name": 1}, {}, "f.yaml")]
    assert told == ["f.yaml:1: name: found 1, expected text", "f.yaml:1: data: found nothing, expected a value"]


def test_too_few_of_something_is_said_even_where_each_is_right() -> None:
    raw: dict[str, Any] = {
        "name": "a",
        "model": {"name_or_path": "m"},
        "data": {"sources": [{"type": "csv", "path": "a.csv"}]},
        "head": {"type": "multi", "heads": {"a": {"type": "sequence_classification"}}},
    }
    with pytest.raises(ValidationError) as caught:
        Experiment.model_validate(raw)
    (problem,) = translate(caught.value, Experiment, raw, {}, "a.yaml")
    assert problem.key == "head.heads" and problem.text.endswith("expected at least 2 item(s)")
