"""What a message says of its own weight in training."""

from typing import Any

import pytest

from dadeum.data.cells import FaultyRow
from dadeum.data.kinds import Recogniser


def weights(column: str, *turns: dict[str, Any]) -> list[Any]:
    """Of each message its weight; None where it says nothing."""
    values = {column: list(turns)}
    how, _ = Recogniser()("f", list(values))
    return [message.get("weight") for message in how(values).messages]


def said(**more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "답", **more}


ASK = {"role": "user", "content": "물음"}


@pytest.mark.parametrize(
    ("given", "weight"),
    [
        ({}, None),
        ({"weight": None}, None),
        ({"weight": 1}, None),
        ({"weight": 1.0, "train": True}, None),
        ({"weight": 0}, 0.0),
        ({"weight": 0.25}, 0.25),
        ({"weight": 2}, 2.0),
        ({"train": False}, 0.0),
        ({"train": False, "weight": 0.5}, 0.0),
        ({"train": True, "weight": 0.5}, 0.5),
    ],
)
def test_every_spelling(given: dict[str, Any], weight: float | None) -> None:
    assert weights("messages", ASK, said(**given)) == [None, weight]


def test_rows_of_sharegpt_weigh_all_their_turns() -> None:
    """As SlimOrca has them: of what is not an answer the weight says what is so anyway."""
    turns = [
        {"from": "system", "value": "규칙", "weight": None},
        {"from": "human", "value": "물음", "weight": 0.0},
        {"from": "gpt", "value": "답", "weight": 0.5},
        {"from": "human", "value": "물음", "weight": 1.0},
        {"from": "gpt", "value": "답", "weight": 1.0},
    ]
    assert weights("conversations", *turns) == [None, None, 0.5, None, None]


def test_a_call_has_a_weight_too() -> None:
    call = {"name": "f", "arguments": {"x": 1}}
    assert weights("messages", ASK, said(content="", tool_calls=[call], weight=0), ASK, said()) == [None, 0, None, None]
    called = {"from": "function_call", "value": '{"name": "f", "arguments": {}}', "train": False}
    rest = [{"from": "observation", "value": "1"}, {"from": "gpt", "value": "답"}]
    assert weights("conversations", {"from": "human", "value": "물음"}, called, *rest) == [None, 0, None, None]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"weight": -1}, "message 2 (assistant): 'weight' is -1, expected a number from 0 on"),
        ({"weight": "0.5"}, "'weight' is '0.5', expected a number"),
        ({"weight": float("nan")}, "'weight' is nan, expected a number"),
        ({"weight": float("inf")}, "'weight' is inf, expected a number"),
        ({"train": "no"}, "'train' is 'no', expected true, false"),
        ({"train": 0}, "'train' is 0, expected true, false"),
        ({"train_detail": [{"begin_offset": 0, "end_offset": 1, "train": False}]}, "'train_detail' is not read"),
    ],
)
def test_what_is_no_weight_is_a_faulty_row(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FaultyRow) as caught:
        weights("messages", ASK, said(**given))
    assert caught.value.kind == "weights"
    assert sentence in str(caught.value)
