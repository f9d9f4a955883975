"""The split: by content, never by order; nothing lost, nothing in two parts."""

import random
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from dadeum.config.data import SplitSettings
from dadeum.data.formats import Conversation
from dadeum.data.split import answer_key, normalised, prompt_key, split


def settings(validation: float = 0.1, test: float = 0.1, seed: int = 42) -> SplitSettings:
    return SplitSettings(validation=validation, test=test, seed=seed)


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


def test_normalised_text() -> None:
    base = normalised("서울은 Korea의  수도?")
    assert base == normalised(unicodedata.normalize("NFD", "  서울은\u3000korea의\n수도? "))
    assert base != normalised("서울은 Korea의 수도")
    assert normalised("STRASSE") == normalised("straße")


def test_twins_have_the_same_prompt_whatever_the_answer() -> None:
    def talk(question: str, answer: str, system: str = "") -> Conversation:
        head = ({"role": "system", "content": system},) if system else ()
        return Conversation((*head, {"role": "user", "content": question}, {"role": "assistant", "content": answer}))

    assert prompt_key(talk("안녕 ", "1")) == prompt_key(talk("안녕", "2"))
    assert prompt_key(talk("안녕", "1", "S")) != prompt_key(talk("안녕", "1"))
    assert answer_key(talk("a", "네 ")) == answer_key(talk("b", "네"))
    assert prompt_key(Conversation(text="A b")) == prompt_key(Conversation(text="a  B"))
    assert answer_key(Conversation(text="a")) is None
