"""Cleaning: NFC and line ends, and nothing else."""

import unicodedata

import pytest

from dadeum.data.cells import FaultyRow
from dadeum.data.clean import Cleaner
from dadeum.data.formats import Conversation


def talk(question: str, answer: str = "답") -> Conversation:
    return Conversation(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


def test_only_composition_and_line_ends_change() -> None:
    cleaner = Cleaner(None)
    same = talk("  두 칸\t그리고\u00a0끝 \n\n", "①ｆｕｌｌ ﬁ\r")
    assert cleaner(same) == same and (cleaner.changes.nfc, cleaner.changes.line_ends) == (0, 0)
    changed = cleaner(talk(unicodedata.normalize("NFD", "한글"), "a\r\nb"))
    assert [m["content"] for m in changed.messages] == ["한글", "a\nb"]
    assert (cleaner.changes.nfc, cleaner.changes.line_ends) == (1, 1)


def test_query_reference_and_category_are_cleaned_too() -> None:
    nfd = unicodedata.normalize("NFD", "가")
    row = Conversation(talk("q").messages, category=nfd, query=nfd, reference=nfd + "\r\n")
    found = Cleaner(None)(row)
    assert (found.category, found.query, found.reference) == ("가", "가", "가\n")


def test_system_prompt() -> None:
    assert Cleaner("S")(talk("q")).messages[0] == {"role": "system", "content": "S"}
    assert Cleaner("S")(Conversation(text="글")).messages == ()


def test_plain_text_may_not_hold_nul_either() -> None:
    with pytest.raises(FaultyRow, match="NUL"):
        Cleaner(None)(Conversation(text="a\0"))


def test_calls_reasoning_and_tools_are_cleaned_and_stay() -> None:
    nfd = unicodedata.normalize("NFD", "가")
    call = {"type": "function", "function": {"name": "f", "arguments": {nfd: [nfd, 1, None]}}}
    said = {"role": "assistant", "content": "", "tool_calls": [call], "reasoning_content": "a\r\nb"}
    tool = {"type": "function", "function": {"name": "f", "description": nfd}}
    cleaner = Cleaner("S")
    found = cleaner(Conversation(({"role": "user", "content": "q"}, said), tools=(tool,)))
    assert found.messages[0] == {
        "role": "system",
        "content": "S",
        "tools": [{"type": "function", "function": {"name": "f", "description": "가"}}],
    }
    assert found.messages[2]["tool_calls"][0]["function"]["arguments"] == {"가": ["가", 1, None]}
    assert found.messages[2]["reasoning_content"] == "a\nb" and found.tools == ()
    assert (cleaner.changes.nfc, cleaner.changes.line_ends) == (1, 1)


def test_all_right_answers_are_cleaned_and_stay_apart() -> None:
    nfd = unicodedata.normalize("NFD", "한글")
    row = talk("q")._replace(answers=("답", nfd, "a\r\nb"), choices=("x",), words=("y", "z"), text=None)
    found = Cleaner(None)(row)
    assert (found.answers, found.choices, found.words) == (("답", "한글", "a\nb"), ("x",), ("y", "z"))
    with pytest.raises(FaultyRow, match="NUL"):
        Cleaner(None)(talk("q")._replace(answers=("답", "\0")))
