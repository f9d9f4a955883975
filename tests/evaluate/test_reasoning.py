"""Reasoning is taken out of an answer, closed or not."""

import pytest

from dadeum.evaluate.reasoning import without_reasoning


@pytest.mark.parametrize(
    ("text", "opened", "answer", "reasoned"),
    [
        ("답", False, "답", False),
        (" 답\n", False, "답", False),
        ("<think>\n음…\n</think>\n\n답", False, "답", True),
        ("<think></think>답<think>또</think>끝", False, "답끝", True),
        ("<think>끝나지 않는", False, "", True),
        ("먼저<think>끝나지 않는", False, "먼저", True),
        ("생각\n</think>\n답", False, "답", True),
        ("생각만", True, "", True),
        ("생각</think>답", True, "답", True),
        ("a < b 이고 b > c", False, "a < b 이고 b > c", False),
    ],
)
def test_answer_alone(text: str, opened: bool, answer: str, reasoned: bool) -> None:
    assert without_reasoning(text, opened=opened) == (answer, reasoned)
