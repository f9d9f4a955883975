"""Rows of one context are known by it, from the source to the line of the test part."""

import json
import unicodedata
from pathlib import Path

import pytest

from dadeum.data.formats import Conversation
from dadeum.data.group import group_in, group_of, is_context
from dadeum.data.kinds import Recogniser
from dadeum.data.maker import beside


def test_a_context_has_one_name_however_it_is_written() -> None:
    text = "민법 제1조는 법원을 정한다.\n관습법도 그렇다."
    same = [text, unicodedata.normalize("NFD", text), f"  {text.replace(chr(10), '  ')} "]
    assert len({group_of(one) for one in same}) == 1
    assert group_of(text) != group_of(text[:-1])
    assert all(group_of(nothing) is None for nothing in ("", " \n", None, 3, ["a"]))
    assert group_in({"passage": "가"}) == group_in({"context": " ", "지문": "가"}) == group_of("가")
    assert is_context("Context", "x") and is_context("p", "지문") and not is_context("question", "answer")


def rows(count: int) -> list[dict[str, str]]:
    return [{"question": f"물음 {i}", "answer": f"답 {i}", "context": f"글 {i // 3}"} for i in range(count)]


@pytest.mark.parametrize("columns", [{}, {"context": "para"}])
def test_formats_leave_the_name_of_the_context(columns: dict[str, str]) -> None:
    found = [{columns.get(key, key): value for key, value in row.items()} for row in rows(6)]
    convert, kind = Recogniser(columns=columns)("f", list(found[0]))
    groups = [convert(row).group for row in found]
    assert kind == "question_answer"
    assert groups == [group_of("글 0")] * 3 + [group_of("글 1")] * 3
    assert beside(convert(found[0])) == {"group": groups[0]}


def test_a_row_without_context_has_none() -> None:
    convert, _ = Recogniser()("f", ["question", "answer"])
    assert convert({"question": "가", "answer": "나"}) == Conversation(
        convert({"question": "가", "answer": "나"}).messages
    )


PROMPT = """\
training_columns: {context: para, q: question, a: answer}
messages_format:
  messages:
    - {role: user, content: "{context}\\n{q}"}
    - {role: assistant, content: "{a}"}
"""


@pytest.mark.parametrize("prompt", [False, True])
def test_it_stands_in_the_lines_of_the_test_part(tmp_path: Path, prompt: bool) -> None:
    from dadeum.evaluate.rows import read_rows
    from tests.run.lab import NAME, fine, make_workspace

    root = make_workspace(tmp_path / "w")
    lines = [{("para" if prompt else "context") if k == "context" else k: v for k, v in r.items()} for r in rows(30)]
    (root / "rows.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    (root / "p.yaml").write_text(PROMPT, encoding="utf-8")
    more = ["data.prompt=p.yaml"] if prompt else []
    fine(root, "data", "format", NAME, "data.sources=[{type: jsonl, path: rows.jsonl}]", "data.split.test=0.5", *more)
    (test,) = (root / "data" / "processed").glob("formatted-*/test.jsonl")
    found = read_rows(test)
    assert len(found) == 15
    numbers = [int(row.question.split()[-1]) for row in found]
    assert [row.group for row in found] == [group_of(f"글 {number // 3}") for number in numbers]
