"""Which text a filter is about, and every text of a row."""

import pytest

from dadeum.core.errors import DataError
from dadeum.data.filters import Seen, _texts
from dadeum.data.formats import Conversation
from tests.data.filters.sieves import plain


def turns(*said: tuple[str, str]) -> Conversation:
    return Conversation(messages=tuple({"role": role, "content": text} for role, text in said))


def test_question_answer_and_whole_of_a_long_conversation() -> None:
    row = Seen(turns(("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")), "x:1")
    assert [_texts.text(row, of) for of in ("question", "answer", "whole")] == ["a\nb\nc", "d", "a\nb\nc\nd"]


def test_plain_text_is_a_whole_and_has_no_answer() -> None:
    row = Seen(plain("글"), "x:3")
    assert _texts.text(row, "whole") == "글"
    with pytest.raises(DataError, match=r"x:3 is plain text and has no answer; use of: whole"):
        _texts.text(row, "answer")


def test_every_text_is_changed_and_no_name() -> None:
    message = {
        "role": "assistant",
        "content": "a",
        "tool_calls": [{"type": "function", "function": {"name": "a", "arguments": {"to": "a", "n": 1}}}],
    }
    row = Conversation(messages=({"role": "user", "content": "a"}, message), category="a", query="a", reference="a")
    found = _texts.mapped(row, str.upper)
    assert found.messages[0] == {"role": "user", "content": "A"}
    assert found.messages[1] == {
        "role": "assistant",
        "content": "A",
        "tool_calls": [{"type": "function", "function": {"name": "a", "arguments": {"to": "A", "n": 1}}}],
    }
    assert (found.query, found.reference, found.category) == ("A", "A", "a")
    assert _texts.mapped(plain("b"), str.upper) == plain("B")
