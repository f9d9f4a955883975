"""The split: by content, never by order; nothing lost, nothing in two parts."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dadeum.config.data import SplitSettings
from dadeum.data.formats import Conversation
from dadeum.data.keys import Column, Groups, keys
from dadeum.data.sources import PARTS, Part
from dadeum.data.split import NONE, Numbers, Split, crossing, extra, number, twins
from dadeum.data.split import split as split_groups


def settings(validation: float = 0.1, test: float = 0.1, seed: int = 42) -> SplitSettings:
    return SplitSettings(validation=validation, test=test, seed=seed)


def pinned_numbers(parts: Sequence[Part | None]) -> Numbers:
    return np.array([number(part) for part in parts], np.int8)


def groups_of(texts: Sequence[str], seed: int = 42) -> Groups:
    column = Column()
    for text in texts:
        column.add(keys(Conversation(text=text), seed).prompt)
    return column.groups()


class Parts:
    """A split with the names of the parts."""

    def __init__(self, found: Split) -> None:
        self.parts = [None if part == NONE else PARTS[part] for part in found.parts.tolist()]
        names = (None if owner < 0 else ("train", "validation", "test")[owner] for owner in found.twin_of)
        self.twin_of = {row: name for row, name in enumerate(names) if name is not None}
        self.empty = found.empty


def split(texts: Sequence[str], pinned: Sequence[Part | None], asked: SplitSettings) -> Parts:
    return Parts(split_groups(groups_of(texts, asked.seed), pinned_numbers(pinned), asked))


def counts(parts: list[str | None]) -> dict[str | None, int]:
    return {part: parts.count(part) for part in set(parts)}


def test_shares_are_as_asked() -> None:
    keys = [f"key {n}" for n in range(1000)]
    found = split(keys, [None] * 1000, settings(0.05, 0.2))
    assert counts(list(found.parts)) == {"train": 750, "validation": 50, "test": 200}


def test_order_of_rows_does_not_matter_and_the_seed_does() -> None:
    keys = [f"key {n % 150}" for n in range(300)]
    shuffled = keys.copy()
    random.Random(1).shuffle(shuffled)

    def by_key(rows: list[str], seed: int = 42) -> dict[str, str | None]:
        return dict(zip(rows, split(rows, [None] * 300, settings(seed=seed)).parts, strict=True))

    assert by_key(keys) == by_key(shuffled)
    assert by_key(keys) != by_key(keys, seed=43)


def test_a_larger_validation_part_leaves_the_test_part_as_it_is() -> None:
    keys = [f"key {n}" for n in range(100)]
    tests = [
        [k for k, p in zip(keys, split(keys, [None] * 100, settings(v, 0.1)).parts, strict=True) if p == "test"]
        for v in (0.0, 0.3)
    ]
    assert tests[0] == tests[1]


def test_few_rows() -> None:
    ten = split([str(n) for n in range(10)], [None] * 10, settings(0.01, 0.01))
    assert counts(list(ten.parts)) == {"train": 8, "validation": 1, "test": 1} and not ten.empty
    three = split(["a", "b", "c"], [None] * 3, settings(0.05, 0.05))
    assert three.parts == ["train"] * 3 and three.empty == ["test", "validation"]
    none = split(["a"] * 30, [None] * 30, settings())
    assert none.parts == ["train"] * 30 and none.empty == ["test", "validation"]
    zero = split([str(n) for n in range(30)], [None] * 30, settings(0, 0))
    assert zero.parts == ["train"] * 30 and not zero.empty


def test_pinned_rows_keep_their_part_and_nothing_is_drawn_for_it() -> None:
    keys = [f"key {n}" for n in range(100)]
    pinned = ["test" if n < 5 else None for n in range(100)]
    found = split(keys, pinned, settings(0.1, 0.5))  # type: ignore[arg-type]
    assert found.parts[:5] == ["test"] * 5 and found.parts.count("test") == 5
    assert found.parts.count("validation") == round(0.1 * 95)


def test_twins_of_pinned_rows() -> None:
    keys = ["a", "a", "a", "b", "b", "c", "c"]
    pinned = ["test", "train", None, "validation", "test", "train", None]
    found = split(keys, pinned, settings(0, 0))  # type: ignore[arg-type]
    assert found.parts == ["test", None, None, None, "test", "train", "train"]
    assert found.twin_of == {1: "test", 2: "test", 3: "test"}


@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from([None, None, "train", "validation", "test"])), max_size=60),
    st.floats(0, 0.49),
    st.floats(0, 0.49),
)
def test_nothing_is_lost_and_no_key_stands_in_two_parts(rows: list[tuple[int, str | None]], v: float, t: float) -> None:
    keys = [str(key) for key, _ in rows]
    found = split(keys, [p for _, p in rows], settings(v, t))  # type: ignore[arg-type,misc]
    assert sum(p is not None for p in found.parts) + len(found.twin_of) == len(rows)
    where: dict[str, set[str]] = {}
    for key, part in zip(keys, found.parts, strict=True):
        if part:
            where.setdefault(key, set()).add(part)
    assert all(len(parts) == 1 for parts in where.values())


@pytest.mark.parametrize(("v", "t"), [(0.1, 0.2), (0.01, 0.0), (0.3, 0.3), (0.0, 0.45)])
def test_drawn_as_one_group_after_the_other_would_be(v: float, t: float) -> None:
    """The rule in plain words: groups in the order of their digests, until a share is reached."""
    draw = random.Random(f"{v} {t}")
    texts = [f"글 {draw.randrange(60)}" for _ in range(draw.randrange(20, 120))]
    found = split(texts, [None] * len(texts), settings(v, t))
    order = sorted(set(texts), key=lambda text: keys(Conversation(text=text), 42).prompt)
    expected, at = dict.fromkeys(order, "train"), 0
    for part, share in (("test", t), ("validation", v)):
        due, got = (max(round(share * len(texts)), 1) if share else 0), 0
        while got < due and at < len(order) - 1:
            expected[order[at]] = part
            got += texts.count(order[at])
            at += 1
    assert found.parts == [expected[text] for text in texts]


def test_one_of_each_stays_and_an_official_test_row_before_others() -> None:
    groups = groups_of("abaabc")
    assert extra(groups, pinned_numbers([None] * 6)) == {2: 0, 3: 0, 4: 1}
    pinned: list[Part | None] = [None, "train", "validation", "test", None, None]
    assert extra(groups, pinned_numbers(pinned)) == {0: 3, 2: 3, 4: 1}
    assert extra(groups_of(""), pinned_numbers([])) == {}


def test_twins_and_groups_in_two_parts_are_counted() -> None:
    groups = groups_of("aabbcc")
    parts = pinned_numbers(["train", "train", "test", "test", "validation", None])
    assert twins(groups, parts) == {"train": 1, "validation": 0, "test": 1} and crossing(groups, parts) == 0
    assert crossing(groups, pinned_numbers(["train", "test", "test", "test", "train", "validation"])) == 2
    assert crossing(groups, np.full(6, -1, np.int8)) == 0
