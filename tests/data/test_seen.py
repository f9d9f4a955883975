"""What gates have seen, united."""

from collections import Counter

import numpy as np
import pytest

from dadeum.data.render import Sample
from dadeum.data.seen import ASKED, Asked, First, Flat, Seen, Suspect, answers


def sample(*weights: int) -> Sample:
    return Sample(np.arange(len(weights), dtype=np.int32), np.array(weights, np.float32), 0)


def test_samples_end_to_end() -> None:
    flat = Flat.of([(0, sample(0, 1)), (0, sample(0, 0, 1)), (2, sample(0))])
    assert flat is not None
    assert flat.ids.tolist() == [0, 1, 0, 1, 2, 0] and flat.weights.tolist() == [0, 1, 0, 0, 1, 0]
    assert flat.starts.tolist() == [0, 2, 5, 6] and flat.owners.tolist() == [0, 0, 2]
    assert Flat.of([]) is None


@pytest.mark.parametrize(
    ("weights", "count"), [((0, 0), 0), ((0, 1), 1), ((1, 1), 1), ((0, 1, 0, 1, 1), 2), ((1, 0, 1), 2)]
)
def test_answers_are_runs(weights: tuple[int, ...], count: int) -> None:
    assert answers(sample(*weights)) == count


def seen(*numbers: int) -> Seen:
    made = Seen(
        rows=len(numbers),
        samples=2,
        answers=3,
        lost=4,
        longest=max(numbers),
        talks=5,
        heads={"S": First(numbers[0], "")},
    )
    for number in numbers:
        first = First(number, f"a.csv:{number}")
        made.note("doubled_bos", 1, first)
        made.asked.append(Asked(first, {}, np.zeros(1, np.int32)))
        made.suspects.setdefault(number % 3, Suspect(first, {}, Counter())).rows += 1
    made.prompts["test"].append((np.array(numbers, np.uint64), np.array(numbers)))
    return made


def test_counts_add_up_and_the_first_row_is_the_first_of_all() -> None:
    whole, other = seen(7, 8, 9), seen(5, 1, 100)
    whole.merge(other)
    assert (whole.rows, whole.samples, whole.answers, whole.lost, whole.longest, whole.talks) == (6, 4, 6, 8, 100, 10)
    assert whole.heads == {"S": First(5, "")}
    assert whole.found["doubled_bos"].rows == 6 and whole.found["doubled_bos"].first == First(1, "a.csv:1")
    assert [asked.first.source_row for asked in whole.asked] == [1, 5, 7, 8, 9, 100]
    assert {key: (s.first.source_row, s.rows) for key, s in whole.suspects.items()} == {1: (1, 3), 2: (5, 2), 0: (9, 1)}
    assert [rows.tolist() for _, rows in whole.prompts["test"]] == [[7, 8, 9], [5, 1, 100]]
    assert whole.prompts["train"] == []


def test_no_more_rows_are_kept_than_are_asked_again() -> None:
    whole = seen(*range(100, 100 + ASKED))
    whole.merge(seen(*range(50)))
    assert [asked.first.source_row for asked in whole.asked] == [*range(50), *range(100, 100 + ASKED - 50)]
