"""Questions on a context, as SQuAD holds them."""

from typing import Any

import pytest

from dadeum.data.cells import FaultyRow
from dadeum.data.formats import Conversation
from dadeum.data.kinds import Recogniser


def convert(values: dict[str, Any]) -> Conversation:
    how, kind = Recogniser()("f", list(values))
    assert kind == "mrc"
    return how(values)


@pytest.mark.parametrize(
    "answers",
    [
        [{"text": "임수경", "answer_start": 125}, {"text": "수경", "answer_start": 126}],
        {"text": ["임수경"], "answer_start": [125]},
        ["임수경", "수경"],
        '[{"text": "임수경", "answer_start": 125}]',
    ],
)
def test_the_first_answer_answers(answers: Any) -> None:
    found = convert({"context": "지문.", "question": "누구?", "answers": answers, "id": "1"})
    assert [m["content"] for m in found.messages] == ["지문.\n\n누구?", "임수경"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"context": "c", "question": "q", "answers": []}, "column 'answers' is blank: no answer"),
        ({"context": "c", "question": "q", "answers": {"text": [], "answer_start": []}}, "no answer"),
        (
            {"context": "c", "question": "q", "answers": [], "is_impossible": True, "plausible_answers": []},
            "the context does not answer the question",
        ),
        ({"context": "c", "question": None, "answers": ["a"]}, "column 'question' is blank"),
        ({"context": "c", "question": "q", "answers": "a"}, "column 'answers' holds no list"),
    ],
)
def test_what_has_no_answer_says_why(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(FaultyRow, match=reason):
        convert(values)


def test_all_right_answers_stand_beside_the_first() -> None:
    def answers(*texts: str) -> tuple[str, ...]:
        listed = [{"text": text, "answer_start": 0} for text in texts]
        return convert({"context": "지문.", "question": "누구?", "answers": listed}).answers

    assert answers("임수경", "수경", "임수경") == ("임수경", "수경")
    assert answers("임수경") == answers("임수경", "임수경") == ()
