"""Duplicates, questions with several answers, repeated answers and leaks, against counts of a plain oracle."""

import io
from collections import Counter, defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dadeum.config.data import DataSettings
from dadeum.data.compared import Compared
from dadeum.data.formats import Conversation
from dadeum.data.keys import ABSENT, id_key
from dadeum.data.sources import Part

DATA = DataSettings.model_validate({"sources": [{"type": "csv", "path": "rows.csv"}]})


def talk(question: str, answer: str) -> Conversation:
    return Conversation(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


def facts(rows: list[tuple[Conversation, Part | None, str | None]], **keys: Any) -> dict[str, Any]:
    compared = Compared(io.StringIO(), seed=1)
    for number, (row, part, name) in enumerate(rows):
        compared.add(row, f"rows.csv:{number + 2}", part, id_key(0, name) if name else ABSENT)
    return compared.facts(DATA.model_copy(update=keys))


def test_duplicates_and_ids() -> None:
    found = facts(
        [
            (talk("가", "나"), None, "1"),
            (talk("가", "나"), None, "2"),
            (talk("가 ", "나"), None, "1"),
            (talk("다", "라"), None, None),
        ]
    )
    assert found["duplicates"] == {"exact": 1, "normalised": 2, "ids": 1}
    assert [row["where"] for row in found["examples"]["duplicates"][0]] == ["rows.csv:2", "rows.csv:3", "rows.csv:4"]
    assert [row["where"] for row in found["examples"]["ids"][0]] == ["rows.csv:2", "rows.csv:4"]
    assert found["examples"]["duplicates"][0][0] == {"where": "rows.csv:2", "question": "가", "answer": "나"}


def test_questions_with_several_answers() -> None:
    rows = [("q", "a"), ("Q ", "b"), ("q", "a"), ("r", "a"), ("s", "c"), ("s", "C")]
    found = facts([(talk(*row), None, None) for row in rows])
    assert found["several_answers"] == {"questions": 1, "rows": 3, "labels": False}
    assert [row["answer"] for row in found["examples"]["several_answers"][0]] == ["a", "b", "a"]
    assert found["repeated_questions"] == 3
    assert found["repeated_answers"] == {"rows": 3, "most": 3}


def test_texts_with_several_labels() -> None:
    rows = [
        ("하나", None, {"label": 1}),
        ("하나", None, {"label": 0}),
        ("하나", "둘", {"label": 1}),
        ("하나", "셋", {"label": 0}),
    ]
    found = facts([(Conversation(text=a, second=b, labels=c), None, None) for a, b, c in rows])
    assert found["several_answers"] == {"questions": 1, "rows": 2, "labels": True}
    assert found["examples"]["several_answers"][0][1]["answer"] == "label=0"
    # As with answers: who says something else of a text does not say the same.
    assert found["duplicates"] == {"exact": 0, "normalised": 0, "ids": 0}


def test_leaks_between_the_parts_that_sources_name() -> None:
    rows: list[tuple[Conversation, Part | None, str | None]] = [
        (talk("가", "1"), "train", None),
        (talk("나", "2"), "train", None),
        (talk("나", "3"), "test", None),
        (talk("다", "4"), "validation", None),
        (talk("다", "5"), "test", None),
    ]
    found = facts(rows)
    assert found["leaks"] == {"train in test": 1, "validation in test": 1} and found["pinned"] == 5
    assert [[row["where"] for row in pair] for pair in found["examples"]["leaks"]] == [
        ["rows.csv:3", "rows.csv:4"],
        ["rows.csv:5", "rows.csv:6"],
    ]
    assert found["parts"] == {"train": 1, "validation": 0, "test": 2}


def test_rows_that_go_as_duplicates_are_in_no_part() -> None:
    rows = [(talk("가", "나"), None, None)] * 3 + [(talk(f"질문 {n}", "답"), None, None) for n in range(20)]
    found = facts(rows, duplicates="drop_exact")
    assert found["dropped_duplicates"] == 2 and sum(found["parts"].values()) == 21


def test_nothing_at_all() -> None:
    found = facts([])
    assert found["parts"] == {"train": 0, "validation": 0, "test": 0} and found["duplicates"]["exact"] == 0


WORDS = st.sampled_from(["가", "나", "다", "라"])


@given(st.lists(st.tuples(WORDS, WORDS), max_size=30))
@settings(max_examples=80, deadline=None)
def test_counts_are_those_of_an_oracle(rows: list[tuple[str, str]]) -> None:
    found = facts([(talk(*row), None, None) for row in rows])
    ways = defaultdict(set)
    for question, answer in rows:
        ways[question].add(answer)
    several = {question for question, answers in ways.items() if len(answers) > 1}
    answers = Counter(answer for _, answer in rows)
    assert found["duplicates"]["exact"] == found["duplicates"]["normalised"] == len(rows) - len(set(rows))
    assert found["several_answers"]["questions"] == len(several)
    assert found["several_answers"]["rows"] == sum(question in several for question, _ in rows)
    assert found["repeated_answers"]["rows"] == len(rows) - len(answers)
    assert found["repeated_answers"]["most"] == max(answers.values(), default=0)
    assert sum(found["parts"].values()) == len(rows)
