"""Answers that teach nothing."""

import pytest

from dadeum.data.formats import Conversation
from tests.data.filters.sieves import gone, reason, sift, talk


@pytest.mark.parametrize("answer", ["...", " - ", "\u200b", "?!", "“”", "\u00a0"])
def test_answers_without_a_letter_go(answer: str) -> None:
    found = sift({"type": "answers"}, [talk("질문", answer)])
    assert reason(found[0]) == "the answer has no letter, digit or sign"
    assert gone(sift({"type": "answers", "empty": False}, [talk("질문", answer)])) == []


@pytest.mark.parametrize("answer", ["네", "3", "👍", "=", "ㅋ", "죄송하지만 답할 수 없습니다.", "[답변]"])
def test_answers_that_say_something_stay(answer: str) -> None:
    assert gone(sift({"type": "answers"}, [talk("질문", answer)])) == []


def test_the_question_again() -> None:
    rows = [talk("Is it?", "is  IT?\n"), talk("Is it?", "Is it"), talk("a", "b")]
    found = sift({"type": "answers"}, rows)
    assert gone(found) == [0] and reason(found[0]) == "the answer is the question again"
    assert gone(sift({"type": "answers", "same_as_question": False}, rows)) == []
    said = [("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "a")]
    # Only the question that is answered counts.
    earlier = Conversation(messages=tuple({"role": r, "content": t} for r, t in said))
    assert gone(sift({"type": "answers"}, [earlier])) == []


def test_repeated_answers_beyond_the_limit_go() -> None:
    rows = [talk(str(n), text) for n, text in enumerate(["네.", "b", "네. ", "네.", "B", "네.", "c", "b"])]
    assert gone(sift({"type": "answers", "max_repeats": 2}, rows)) == [3, 5, 7]
    assert gone(sift({"type": "answers", "max_repeats": 1}, rows)) == [2, 3, 4, 5, 7]
    assert gone(sift({"type": "answers", "max_repeats": 4}, rows)) == []
    assert reason(sift({"type": "answers", "max_repeats": 2}, rows)[3]) == "more than 2 rows have this answer"


def test_rows_of_the_test_part_stay_before_others() -> None:
    rows = [talk(str(n), "네") for n in range(4)]
    assert gone(sift({"type": "answers", "max_repeats": 1}, rows, ["train", None, "test", "test"])) == [0, 1, 3]
    assert gone(sift({"type": "answers", "max_repeats": 2}, rows, ["train", "test", None, "validation"])) == [0, 2]


def test_rows_that_go_anyway_count_for_nothing() -> None:
    rows = [talk("네", "네"), talk("a", "네"), talk("b", "네")]
    assert gone(sift({"type": "answers", "max_repeats": 2}, rows)) == [0]


def test_a_call_of_a_tool_is_no_empty_answer() -> None:
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}
    row = Conversation(messages=({"role": "user", "content": "q"}, call))
    assert gone(sift({"type": "answers"}, [row])) == []
