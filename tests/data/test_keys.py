"""What makes two rows the same, one by one; whole data sets are in `tests/faults/test_b21_duplicates.py`."""

import random
import unicodedata
from typing import Any

import numpy as np
import pytest

from dadeum.data.formats import Conversation
from dadeum.data.keys import ABSENT, SIZE, Column, Groups, Keys, id_key, keys, normalised, row_id


def row(*contents: str, roles: tuple[str, ...] = ("user", "assistant")) -> Conversation:
    return Conversation(tuple({"role": r, "content": c} for r, c in zip(roles, contents, strict=True)))


def of(conversation: Conversation) -> Keys:
    return keys(conversation, 42)


def test_to_the_letter_and_but_for_case_and_white_space() -> None:
    assert of(row("a", "b")).exact == of(row("a", "b")).exact != of(row("A", "b")).exact
    assert of(row(" a  x", "b")).loose == of(row("A\nx", "B ")).loose != of(row("ax", "b")).loose
    assert of(row("a", "b.")).loose != of(row("a", "b")).loose, "punctuation counts"


def test_what_only_looks_the_same_is_not() -> None:
    """Other roles, the same text cut elsewhere, a text beside a message."""
    different = [
        row("a", "b"),
        row("a", "b", roles=("system", "assistant")),
        row("a b", ""),
        row("", "a b"),
        row("a", "b", "", roles=("user", "assistant", "assistant")),
        Conversation(text="a b"),
        Conversation(text="4 user a"),
    ]
    assert len({of(r).exact for r in different}) == len({of(r).loose for r in different}) == len(different)


def test_twins_have_the_same_prompt_whatever_the_answer() -> None:
    def talk(question: str, answer: str, system: str = "") -> Keys:
        head = ({"role": "system", "content": system},) if system else ()
        return of(
            Conversation((*head, {"role": "user", "content": question}, {"role": "assistant", "content": answer}))
        )

    assert talk("안녕 ", "1").prompt == talk("안녕", "2").prompt
    assert talk("안녕", "1", "S").prompt != talk("안녕", "1").prompt
    assert talk("a", "네 ").answer == talk("b", "네").answer
    assert of(Conversation(text="A b")).prompt == of(Conversation(text="a  B")).prompt
    assert of(Conversation(text="a")).answer == ABSENT


def test_what_is_said_beside_the_text_counts() -> None:
    def call(**arguments: str) -> dict[str, object]:
        return {"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": arguments}}]}

    def talk(answer: dict[str, object], **first: object) -> Keys:
        user = {"role": "user", "content": "q", **first}
        return of(Conversation((user, {"role": "assistant", "content": "", **answer})))

    tools = [{"type": "function", "function": {"name": "f"}}]
    different = [
        talk({}),
        talk(call(x="1")),
        talk(call(x="2")),
        talk({"reasoning_content": "r"}),
        talk({}, tools=tools),
    ]
    assert len({k.exact for k in different}) == len({k.loose for k in different}) == 5
    assert talk(call(x="1")).prompt == talk(call(x="2")).prompt != talk(call(x="1"), tools=tools).prompt
    assert talk(call(x="1")).answer != talk(call(x="2")).answer
    assert talk(call(x="a B")).loose == talk(call(x="A  b")).loose


def test_the_seed_changes_the_prompt_only() -> None:
    one, other = keys(row("a", "b"), 1), keys(row("a", "b"), 2)
    assert one.prompt != other.prompt and one[1:] == other[1:] and {len(k) for k in one} == {SIZE}


def test_normalised_text() -> None:
    base = normalised("서울은 Korea의  수도?")
    assert base == normalised(unicodedata.normalize("NFD", "  서울은\u3000korea의\n수도? "))
    assert base != normalised("서울은 Korea의 수도")
    assert normalised("STRASSE") == normalised("straße")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"ID ": 7, "q": "a"}, "7"),
        ({"uuid": "x", "id": "y"}, "y"),
        ({"id": ""}, None),
        ({"id": None}, None),
        ({"id": [1]}, None),
        ({"identity": 1}, None),
    ],
)
def test_ids(values: dict[str, object], found: str | None) -> None:
    assert row_id(values) == found


def test_an_id_counts_within_its_source() -> None:
    assert id_key(0, "7") == id_key(0, "7") != id_key(1, "7") != id_key(1, "17")


def column(*found: bytes) -> Column:
    made = Column()
    for key in found:
        made.add(key.ljust(SIZE, b"\0"))
    return made


def test_groups_are_rows_with_the_same_key_in_the_order_of_keys() -> None:
    groups = column(b"b", b"a", b"b", b"c", b"a", b"b").groups()
    assert groups.of_row.tolist() == [1, 0, 1, 2, 0, 1] and groups.sizes.tolist() == [2, 3, 1] and groups.repeats == 3
    some = column(b"b", b"a", b"b", b"c").groups(np.array([True, False, True, True]))
    assert some.of_row.tolist() == [0, 0, 1] and some.repeats == 1
    empty = column().groups()
    assert empty.repeats == 0 and len(empty.sizes) == 0


def test_rows_without_a_key() -> None:
    made = column(b"b", b"", b"a", b"")
    assert len(made) == 4 and made.present.tolist() == [True, False, True, False]


def test_groups_of_many_keys_are_a_dictionarys() -> None:
    draw = random.Random(1)
    found = [draw.choice([b"", b"\xff" * 8]) + bytes([draw.randrange(6)]) * draw.choice((1, 8)) for _ in range(500)]
    groups: Groups = column(*found).groups()
    padded = [key.ljust(SIZE, b"\0") for key in found]
    order = {key: number for number, key in enumerate(sorted(set(padded)))}
    assert groups.of_row.tolist() == [order[key] for key in padded]


def test_what_an_answer_counts_makes_no_other_row() -> None:
    """Else a question could stand in two parts."""
    plain: list[dict[str, Any]] = [
        {"role": "user", "content": "가"},
        {"role": "assistant", "content": "나"},
        {"role": "user", "content": "다"},
        {"role": "assistant", "content": "라"},
    ]
    weighed = [{**m, "weight": 0.5} if m["role"] == "assistant" else m for m in plain]
    assert keys(Conversation(tuple(weighed)), 1) == keys(Conversation(tuple(plain)), 1)
