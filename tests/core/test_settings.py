"""dadeum.core.settings: frozen, strict, nothing unknown."""

from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.core.settings import Many, Settings, setting


class Small(Settings):
    count: int = setting(1, "How many.", "몇 개.", gt=0)
    rate: float = setting(0.5, "How fast.", "얼마나 빨리.")
    on: bool = setting(False, "Whether.", "할지.")
    text: str = setting("a", "What.", "무엇.")
    many: Many[str] = setting((), "Which.", "어느 것.")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"count": "1"}, "int_type"),
        ({"count": 1.5}, "int_type"),
        ({"count": True}, "int_type"),
        ({"count": 0}, "greater_than"),
        ({"rate": "0.1"}, "float_type"),
        ({"rate": True}, "float_type"),
        ({"rate": float("nan")}, "finite_number"),
        ({"rate": float("inf")}, "finite_number"),
        ({"on": 1}, "bool_type"),
        ({"on": "true"}, "bool_type"),
        ({"text": 1}, "string_type"),
        ({"many": "abc"}, "tuple_type"),
        ({"many": [1]}, "string_type"),
        ({"unknown": 1}, "extra_forbidden"),
    ],
)
def test_nothing_is_guessed(values: dict[str, Any], kind: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Small.model_validate(values)
    assert [e["type"] for e in caught.value.errors()] == [kind]


def test_whole_numbers_are_numbers_and_lists_become_tuples() -> None:
    small = Small.model_validate({"rate": 1, "many": ["a", "b"]})
    assert small.rate == 1.0
    assert small.many == ("a", "b")


def test_nothing_is_assigned_later() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Small().count = 2  # type: ignore[misc]


def test_defaults_are_validated_too() -> None:
    class Wrong(Settings):
        count: int = setting(0, "How many.", "몇 개.", gt=0)

    with pytest.raises(ValidationError):
        Wrong()


def test_both_descriptions_reach_the_schema() -> None:
    schema = Small.model_json_schema()["properties"]["count"]
    assert (schema["description"], schema["ko"], schema["exclusiveMinimum"]) == ("How many.", "몇 개.", 0)
