"""A file of questions becomes a file of answers, in order, whole or not at all."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.generate.batch import Answering, answer_file
from tests.generate.support import opened, save_small, user


def test_answers_in_the_order_of_questions(tmp_path: Path) -> None:
    engine = opened(save_small(tmp_path / "model"))
    questions = tmp_path / "q.csv"
    questions.write_text("question,answer,category\n긴 질문입니다 아주 긴 질문,답,민법\nhi,,\n", encoding="utf-8")
    replies = answer_file(engine, questions, tmp_path / "a.jsonl", Answering(max_new_tokens=5, batch_size=2), Silent())
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["question"] for row in rows] == ["긴 질문입니다 아주 긴 질문", "hi"]
    assert [row["answer"] for row in rows] == [r.text for r in replies]
    assert rows[1]["answer"] == engine.replies([user("hi")], max_new_tokens=5)[0].text
    assert (rows[0]["reference"], rows[0]["category"], rows[1]["reference"]) == ("답", "민법", None)
    with pytest.raises(DataError, match="ends in"):
        answer_file(engine, questions, tmp_path / "a.pdf", Answering(), Silent())
