"""Tasks by name: shipped ones, files, lm-eval's; what is wrong with a file is told with its line."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from dadeum.core.errors import ConfigError
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.evaluate.task import (
    SHIPPED,
    HarnessTask,
    Task,
    as_data,
    download,
    folder_of,
    load_task,
    made_from,
    open_tasks,
    shipped,
)
from tests.evaluate.tasks import asking, workspace_with_tasks

MINE = "configs/tasks/mine.yaml"


@pytest.fixture
def here(tmp_path: Path) -> Workspace:
    return Workspace(workspace_with_tasks(tmp_path))


@pytest.mark.parametrize("name", shipped())
def test_what_is_shipped_can_be_read(name: str, here: Workspace) -> None:
    (task,) = open_tasks(asking(name), here)
    assert isinstance(task, Task) and task.folder == name and as_data(task.settings).sources
    assert SHIPPED.joinpath(f"{name}.yaml").read_text(encoding="utf-8").startswith("# ")


def test_the_example_is_the_one_of_the_guides(here: Workspace) -> None:
    root = Path(__file__).parents[2]
    example = (root / MINE).read_text(encoding="utf-8").splitlines(keepends=True)
    for language in ("", ".ko"):
        guide = (root / f"docs/guides/evaluate{language}.md").read_text(encoding="utf-8")
        assert "".join(line for line in example if not line.startswith("#")) in guide
    assert load_task(root / MINE, MINE).shots == 2


def test_names_files_and_choices(here: Workspace) -> None:
    chosen = {"task": MINE, "shots": 1, "limit": 3}
    general, mine, theirs = open_tasks(asking("general-text", chosen, "lm-eval:kobest_copa"), here)
    assert isinstance(general, Task) and general.settings.shots == 0
    assert isinstance(mine, Task) and (mine.settings.shots, mine.settings.limit) == (1, 3)
    assert (
        isinstance(theirs, HarnessTask) and theirs.inner == "kobest_copa" and theirs.own == here.root / "configs/tasks"
    )
    assert [folder_of(t.name) for t in (general, mine, theirs)] == ["general-text", "mine", "lm-eval-kobest_copa"]


def test_own_tasks_of_lm_eval_lie_where_the_setting_says(here: Workspace) -> None:
    (here.root / "other").mkdir()
    (task,) = open_tasks(asking("lm-eval:x", task_path="other"), here)
    assert isinstance(task, HarnessTask) and task.own == here.root / "other"
    with pytest.raises(ConfigError, match=r"evaluate\.task_path: nowhere: no such folder"):
        open_tasks(asking("lm-eval:x", task_path="nowhere"), here)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("general-txt", "found 'general-txt', expected a YAML file, lm-eval:NAME, or one of: general-text, korquad.*did you mean 'general-text'"),
        ("configs/tasks/mina.yaml", "did you mean 'configs/tasks/mine.yaml'"),
        ({"task": "korquad", "chat_template": True}, "chat_template is for tasks of lm-eval"),
    ],
)  # fmt: skip
def test_what_there_is_not(name: object, said: str, here: Workspace) -> None:
    with pytest.raises(ConfigError, match=said):
        open_tasks(asking(name), here)


def test_two_of_one_name_are_refused(here: Workspace) -> None:
    (here.root / "mine.yaml").write_bytes((here.root / MINE).read_bytes())
    with pytest.raises(ConfigError, match="the second task called 'mine'"):
        open_tasks(asking("mine.yaml", MINE), here)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dataset: {type: jsonl, path: a}\nmetrcs: [chrf]\n", r"mine.yaml:2: metrcs: found an unknown key.*did you mean 'metrics'"),
        ("dataset: {type: jsnl, path: a}\nmetrics: [chrf]\n", r"mine.yaml:1: dataset.type: found 'jsnl'.*did you mean 'jsonl'"),
        ("metrics: [chrf]\n", r"mine.yaml:1: dataset: found nothing"),
        ("dataset: {type: jsonl, path: a}\nmetrics: [chrff]\n", r"mine.yaml:2: metrics.0: found 'chrff'.*did you mean 'chrf'"),
        ("dataset: {type: jsonl, path: a}\nmetrics: [chrf]\nshots: -1\n", r"mine.yaml:3: shots: found -1, expected at least 0"),
        ("dataset: {type: jsonl, path: a}\nmetrics: [chrf]\nmetrics: [rouge]\n", r"mine.yaml:3: metrics: found twice"),
        ("- a\n", "found no mapping"),
        ("a: [\n", "not YAML"),
        ("dataset: {type: jsonl, path: a}\nmetrics: [chrf]\nprompt: mrc\nformat: alpaca\n", "remove format and columns, or prompt"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_told_with_its_line(text: str, said: str, here: Workspace) -> None:
    (here.root / MINE).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        open_tasks(asking(MINE), here)


def test_scores_are_made_of_the_bytes_of_file_and_rows(here: Workspace) -> None:
    def now() -> list[str | None]:
        return list(made_from(open_tasks(asking(MINE, "lm-eval:my_pick"), here), here).values())

    first = now()
    assert all(first) and now() == first
    with (here.root / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"q": "a", "a": "b"}\n')
    rows = now()
    assert rows[0] != first[0] and rows[1] == first[1]
    with (here.root / MINE).open("a", encoding="utf-8") as file:
        file.write("# more\n")
    assert now()[0] != rows[0]
    assert now()[1] != first[1]  # lm-eval's own folder holds this file too
    before = now()
    (here.root / "configs/tasks/data").mkdir()
    (here.root / "configs/tasks/data/rows.json").write_text("[]", encoding="utf-8")
    assert now()[0] == before[0] and now()[1] != before[1]  # and often the rows of its tasks


def test_rows_of_the_hub_are_waited_for(here: Workspace) -> None:
    tasks = open_tasks(asking("korquad"), here)
    assert made_from(tasks, here) == {"task korquad": None}
    assert download(open_tasks(asking(MINE), here), here, Silent()) == []


def test_a_choice_is_strict() -> None:
    with pytest.raises(ValidationError):
        asking({"task": "korquad", "shot": 1})
