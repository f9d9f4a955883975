"""A task file or a data set runs no code of its own (C1, C3)."""

from pathlib import Path

import pytest

from dadeum.core.errors import DataError
from dadeum.core.workspace import Workspace
from dadeum.evaluate.harness import Prepared
from dadeum.evaluate.harness_guard import guarded
from dadeum.evaluate.task import HarnessTask, open_tasks
from tests.evaluate.tasks import asking, workspace_with_tasks

PLANT = "from pathlib import Path\nPath({there!r}).write_text('ran', encoding='utf-8')\ndef asked(doc):\n    return doc['q']\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    return workspace_with_tasks(tmp_path)


def change(root: Path, before: str, after: str, name: str = "write") -> None:
    file = root / f"configs/tasks/{name}.yaml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def one(root: Path, name: str = "my_write") -> HarnessTask:
    (task,) = open_tasks(asking(f"lm-eval:{name}"), Workspace(root))
    assert isinstance(task, HarnessTask)
    return task


@pytest.mark.parametrize("how", ["here", "included"])
def test_functions_of_a_task_file_run_only_where_they_are_trusted(root: Path, how: str) -> None:
    there, folder = root / "ran.txt", root / "configs/tasks" if how == "here" else root / "elsewhere"
    folder.mkdir(exist_ok=True)
    (folder / "planted.py").write_text(PLANT.format(there=str(there)), encoding="utf-8")
    line = 'doc_to_text: "질문: {{q}}\\n답:"'
    if how == "here":
        change(root, line, "doc_to_text: !function planted.asked")
    else:
        (folder / "more.yaml").write_text("doc_to_text: !function planted.asked\n", encoding="utf-8")
        change(root, line, f"include: {folder / 'more.yaml'}")
    with pytest.raises(
        DataError, match=r"names the function 'planted.asked'; that runs code which is not lm-eval's own"
    ):
        Prepared.of(one(root), trusted=False)
    assert not there.exists()
    Prepared.of(one(root), trusted=True)
    assert there.exists()


def test_a_metric_of_the_hub_is_a_program(root: Path) -> None:
    change(root, "{metric: exact_match,", "{metric: somebody/metric, hf_evaluate: true,")
    with pytest.raises(DataError, match="the metric 'somebody/metric' is a program of the Hub"):
        Prepared.of(one(root), trusted=False)


def test_a_data_set_with_a_script() -> None:
    import datasets

    before = datasets.load_dataset
    with pytest.raises(DataError, match="the data set somebody/rows wants a script of its own"), guarded(False):
        datasets.load_dataset("somebody/rows", trust_remote_code=True)
    assert datasets.load_dataset is before


def test_a_template_does_not_reach_out(root: Path) -> None:
    change(root, "질문: {{q}}", "{{ q.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(DataError, match="SecurityError: access to attribute '__class__' of 'str' object is unsafe"):
        Prepared.of(one(root), trusted=False)


def test_a_task_that_cannot_be_read_is_one_sentence(root: Path) -> None:
    change(root, "test_split: test", "test_split: nowhere")
    with pytest.raises(DataError, match="lm-eval:my_write"):
        Prepared.of(one(root), trusted=False)
    (root / "rows.jsonl").unlink()
    with pytest.raises(DataError, match="its data are not here"):
        Prepared.of(one(root, "my_pick"), trusted=False)
