"""A chosen and a rejected answer to one prompt."""

from typing import Any

import pytest

from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.kinds import Recogniser

USER = {"role": "user", "content": "질문"}
GOOD, BAD = {"role": "assistant", "content": "좋은 답"}, {"role": "assistant", "content": "나쁜 답"}


def convert(values: dict[str, Any]) -> Conversation:
    how, kind = Recogniser()("f", list(values))
    assert kind == "preference"
    return how(values)


@pytest.mark.parametrize(
    "values",
    [
        {"prompt": "질문", "chosen": "좋은 답", "rejected": "나쁜 답"},
        {"question": "질문", "chosen": "좋은 답", "rejected": "나쁜 답", "score_chosen": 8.0},
        {"instruction": "질문", "input": "", "output": "다른 답", "rejected": "나쁜 답", "chosen": "좋은 답"},
        {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
        {"messages": [USER], "chosen": "좋은 답", "rejected": "나쁜 답"},
        {"prompt": "질문", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"chosen_messages": [USER, GOOD], "rejected_messages": [USER, BAD]},
        {
            "conversations": [{"from": "human", "value": "질문"}],
            "chosen": {"from": "gpt", "value": "좋은 답"},
            "rejected": {"from": "gpt", "value": "나쁜 답"},
        },
        {
            "prompt": "질문",
            "chosen": '[{"role": "assistant", "content": "좋은 답"}]',
            "rejected": '[{"role": "assistant", "content": "나쁜 답"}]',
        },
    ],
)
def test_every_spelling_of_one_pair(values: dict[str, Any]) -> None:
    found = convert(values)
    assert found.messages == (USER, GOOD) and found.rejected == (USER, BAD)


def test_system_history_and_input_go_before_both() -> None:
    found = convert(
        {
            "system": "S",
            "instruction": "옮겨라",
            "input": "hi",
            "chosen": "안녕",
            "rejected": "잘 가",
            "history": [["a", "b"]],
        }
    )
    assert [m["content"] for m in found.messages] == ["S", "a", "b", "옮겨라\n\nhi", "안녕"]
    assert found.rejected == (*found.messages[:-1], {"role": "assistant", "content": "잘 가"})


def test_a_label_beside_the_pair_is_no_rating_of_it() -> None:
    assert convert({"prompt": "q", "chosen": "a", "rejected": "b", "label": True}).wanted is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"prompt": "q", "chosen": "", "rejected": "b"}, "column 'chosen' is blank: no answer"),
        ({"prompt": "q", "chosen": "a", "rejected": None}, "column 'rejected' is blank: no answer"),
        ({"prompt": " ", "chosen": "a", "rejected": "b"}, "column 'prompt' is blank: no question"),
        ({"chosen": "a", "rejected": "b"}, "column 'instruction' is blank: no question"),
        ({"chosen": [USER, GOOD], "rejected": [USER]}, "column 'rejected' does not end with an answer"),
        (
            {"chosen": [USER, GOOD], "rejected": [{"role": "user", "content": "다른 질문"}, BAD]},
            "'chosen' and 'rejected' are not answers to the same prompt",
        ),
        (
            {"chosen": [USER, BAD, USER, GOOD], "rejected": [USER, GOOD, USER, BAD]},
            "'chosen' and 'rejected' are not answers to the same prompt",
        ),
    ],
)
def test_what_is_no_pair_says_why(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        convert(values)
