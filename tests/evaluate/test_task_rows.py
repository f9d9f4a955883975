"""Rows of a task take the way of all rows; what is shown as an example is not scored."""

import json
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.data.contract import open_prompt
from dadeum.evaluate.task import Task, download, made_from, open_tasks
from dadeum.evaluate.task_rows import TaskRows, read_task
from tests.evaluate.tasks import ROWS, asking, workspace_with_tasks
from tests.generate.support import save_small
from tests.hub_server import Hub, serve

MINE = "configs/tasks/mine.yaml"


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    tokenizer, contract = open_prompt(save_small(tmp_path_factory.mktemp("model")))
    return contract.renderer(tokenizer)


class Heard(Silent):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)


def read(here: Path, renderer: Any, choice: object = MINE, reporter: Any = None) -> TaskRows:
    (task,) = open_tasks(asking(choice), Workspace(here))
    assert isinstance(task, Task)
    return read_task(task, renderer, Workspace(here), reporter or Silent(), seed=42)


def test_the_first_rows_are_examples_and_the_rest_is_spread(tmp_path: Path, renderer: Any) -> None:
    found = read(workspace_with_tasks(tmp_path), renderer)
    assert found.few_shot is not None
    assert [e[0]["content"] for e in found.few_shot.examples] == [ROWS[0]["q"], ROWS[1]["q"]]
    assert [row.question for row in found.rows] == [ROWS[i]["q"] for i in (2, 6, 10, 15, 19)]
    assert [row.reference for row in found.rows] == [ROWS[i]["a"] for i in (2, 6, 10, 15, 19)]
    assert found.found == 24 and len({row.asked for row in found.rows}) == 5


def test_where_there_are_parts_the_test_part_is_scored_and_examples_come_from_train(
    tmp_path: Path, renderer: Any
) -> None:
    here = workspace_with_tasks(tmp_path)
    (here / "parts").mkdir()
    file = here / MINE
    text = file.read_text(encoding="utf-8").replace("path: rows.jsonl", "path: rows.jsonl, part: test")
    file.write_text(text.replace("shots: 2", "shots: 0"), encoding="utf-8")
    assert len(read(here, renderer, {"task": MINE, "limit": 100}).rows) == 24
    file.write_text(text.replace("part: test", "part: train"), encoding="utf-8")
    assert (
        len(read(here, renderer, {"task": MINE, "limit": 100}).rows) == 22
    )  # nothing but train: the first two are shown


def test_plain_text_is_read_as_it_is(tmp_path: Path, renderer: Any) -> None:
    found = read(tmp_path, renderer, "general-text")
    assert len(found.rows) == 60 and all(row.text and not row.messages for row in found.rows)
    assert {row.category for row in found.rows} == {"한국어", "English"} and found.few_shot is None
    assert not found.dropped
    assert len({row.text for row in found.rows}) == 60
    with pytest.raises(DataError, match="plain text has no examples; set shots: 0"):
        read(tmp_path, renderer, {"task": "general-text", "shots": 1})


def test_the_words_before_the_question_are_the_tasks_own(tmp_path: Path, renderer: Any) -> None:
    here = workspace_with_tasks(tmp_path)
    with (here / MINE).open("a", encoding="utf-8") as file:
        file.write("system_prompt: 짧게 답하세요.\n")
    found = read(here, renderer)
    assert found.rows[0].messages[0] == {"role": "system", "content": "짧게 답하세요."}
    assert found.few_shot is not None and all(m["role"] != "system" for e in found.few_shot.examples for m in e)


def test_rows_that_cannot_be_used_are_told_and_left_out(tmp_path: Path, renderer: Any) -> None:
    rows: list[dict[str, object]] = [*ROWS[:6], {"q": "답이 없다", "a": ""}]
    heard = Heard()
    found = read(workspace_with_tasks(tmp_path, rows), renderer, MINE, heard)
    assert found.found == 6 and sum(found.dropped.values()) == 1
    assert len(heard.warned) == 1 and "1 of 7 rows left out, first rows.jsonl:7" in heard.warned[0]


def test_nothing_to_score_is_one_sentence(tmp_path: Path, renderer: Any) -> None:
    here = workspace_with_tasks(tmp_path, list(ROWS[:2]))
    with pytest.raises(DataError, match="2 rows are no more than the 2 examples"):
        read(here, renderer)
    (here / "rows.jsonl").write_text('{"q": "a", "a": ""}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"none of 1 rows can be used, first rows\.jsonl:1"):
        read(here, renderer)


def test_rows_of_the_hub(tmp_path: Path, renderer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped reading task, through the real loader: all right answers, and the passage as what rows share."""
    rows = [
        {
            "id": str(i),
            "context": f"{i // 2}번 지문",
            "question": f"물음 {i}?",
            "answers": {"text": [f"답 {i}", f"대답 {i}"], "answer_start": [0, 3]},
        }
        for i in range(6)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    files = {"data/train.jsonl": lines, "data/validation.jsonl": lines}
    with serve(Hub({"datasets/KorQuAD/squad_kor_v1": files})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        workspace = Workspace(tmp_path)
        tasks = open_tasks(asking({"task": "korquad", "limit": 4}), workspace)
        assert made_from(tasks, workspace) == {"task korquad": None}
        download(tasks, workspace, Silent())
    assert all(made_from(tasks, workspace).values())
    found = read(tmp_path, renderer, {"task": "korquad", "limit": 4})
    first = found.rows[0]
    assert first.messages[1]["content"] == "0번 지문\n\n물음 0?" and first.reference == "답 0"
    assert first.references == ("답 0", "대답 0")
    assert found.found == 6 and len({row.group for row in found.rows}) == 3 and len(found.rows) == 4
