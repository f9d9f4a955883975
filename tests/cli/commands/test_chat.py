"""`dadeum chat`, typed through a pipe."""

import json
from pathlib import Path

from tests.run.lab import NAME, fine

SHORT = ("--max-new-tokens", "5")


def test_a_conversation(ran: Path) -> None:
    typed = "3번 질문은?\n\n/save talk.json\n그럼 4번은?\n/save talk.json\n/exit\nnever read\n"
    said = fine(ran, "chat", "-m", NAME, *SHORT, typed=typed)
    talk = json.loads((ran / "talk.json").read_text(encoding="utf-8"))
    assert [m["role"] for m in talk] == ["user", "assistant", "user", "assistant"]
    assert [m["content"] for m in talk[::2]] == ["3번 질문은?", "그럼 4번은?"]
    assert talk[1]["content"] in said.out and talk[3]["content"] in said.out and "saved talk.json" in said.out
    assert "never read" not in said.out
    (log,) = (ran / "experiments").glob("inference_*.log")
    text = log.read_text(encoding="utf-8")
    assert "user: 그럼 4번은?" in text and f"assistant: {talk[3]['content']}" in text


def test_the_first_answer_is_that_of_ask(ran: Path) -> None:
    asked = fine(ran, "ask", "3번 질문은?", *SHORT).out
    assert fine(ran, "chat", *SHORT, typed="3번 질문은?\n").out == asked


def test_commands(ran: Path) -> None:
    typed = "안녕\n/reset\n/save a.json\n/system 짧게 답해\n안녕\n/save b.json\n/hlep\n/help\n"
    said = fine(ran, "chat", *SHORT, typed=typed)
    assert json.loads((ran / "a.json").read_text(encoding="utf-8")) == []
    assert json.loads((ran / "b.json").read_text(encoding="utf-8"))[0] == {"role": "system", "content": "짧게 답해"}
    for words in ("the conversation is forgotten", "the system message is set", "found '/hlep'", "/save PATH writes"):
        assert words in said.out


def test_a_file_that_is_there_is_not_written_over(ran: Path) -> None:
    (ran / "mine.json").write_text("mine", encoding="utf-8")
    said = fine(ran, "chat", *SHORT, typed="안녕\n/save mine.json\n")
    assert (ran / "mine.json").read_text(encoding="utf-8") == "mine"
    assert said.errors[0] == "error: mine.json: is there already; choose another name"


def test_the_end_of_the_input_ends_it(ran: Path) -> None:
    assert fine(ran, "chat", *SHORT).out == ""
