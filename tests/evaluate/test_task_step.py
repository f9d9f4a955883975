"""Tasks within an evaluation: a file a task and model, beside the scores of the run's own test rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.evaluate.step import ModelAt, compare_models, evaluate_model, evaluations_in
from dadeum.evaluate.task import open_tasks
from dadeum.evaluate.task_step import Beside
from tests.evaluate.support import write_conversations, write_rows
from tests.evaluate.tasks import asking, workspace_with_tasks
from tests.generate.support import save_adapter, save_small

MINE = "configs/tasks/mine.yaml"
KEYS = (
    "template_sha256",
    "prompts_sha256",
    "targets_sha256",
    "questions_sha256",
    "versions",
    "seed",
    "decoding",
    "task",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a base, an adapter on it, test rows and tasks; both models scored, and compared."""
    root = workspace_with_tasks(tmp_path_factory.mktemp("tasks"))
    save_small(root / "base")
    save_adapter(root / "final", root / "base")
    write_rows(root / "formatted")
    write_conversations(root / "preprocessed")
    settings = asking("general-text", MINE, few_shot=0)
    for kind in ("base", "tuned"):
        score(root, kind, settings)
    compare_models(evaluations_in(root / "evaluation"), out=root / "evaluation", settings=settings, reporter=Silent())
    return root


def score(root: Path, kind: Any, settings: Any, out: str = "evaluation") -> list[Path]:
    place = root / ("base" if kind == "base" else "final")
    return evaluate_model(
        kind,
        ModelAt(place, base=None if kind == "base" else root / "base", device="cpu"),
        name=kind,
        dataset="d",
        formatted=root / "formatted",
        preprocessed=root / "preprocessed",
        out=root / out,
        settings=settings,
        reporter=Silent(),
        beside=Beside(open_tasks(settings, Workspace(root)), Workspace(root)),
    )


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_each_task_has_a_file_a_model_with_all_that_its_scores_depend_on(made: Path) -> None:
    for task in ("general-text", "mine"):
        base, tuned = (read(made / "evaluation" / "tasks" / task / f"{kind}.json") for kind in ("base", "tuned"))
        assert all(base["environment"][key] for key in KEYS)
        assert base["environment"]["prompts_sha256"] == tuned["environment"]["prompts_sha256"]
        assert base["metrics"].keys() == tuned["metrics"].keys()
    facts = tuned["environment"]["task"]
    assert (facts["name"], facts["shots"], facts["limit"], facts["rows"]) == (MINE, 2, 5, 24)
    assert tuned["environment"]["decoding"]["max_new_tokens"] == 4  # the task's, not the run's
    assert tuned["environment"]["few_shot"] == {"asked": 2, "rows": {"2": 5}}
    assert tuned["samples"][0]["prompt"].count("더하기") == 3


def test_what_was_forgotten_stands_in_the_comparison(made: Path) -> None:
    found = read(made / "evaluation" / "comparison.json")["tasks"]
    assert {(row["task"], row["metric"]) for row in found} >= {
        ("general-text", "bits_per_byte"),
        ("general-text", "perplexity"),
        ("mine", "chrf"),
        ("mine", "exact_match"),
    }
    for row in found:
        assert row["difference"] == pytest.approx(row["tuned"] - row["base"])
        assert row["interval"][0] <= row["interval"][1]
    page = (made / "evaluation" / "comparison.md").read_text(encoding="utf-8")
    assert "## Elsewhere" in page and "| general-text (60) | bits_per_byte ↓ |" in page


def test_scored_again_it_is_the_same_but_for_time(made: Path) -> None:
    written = score(made, "base", asking("general-text", MINE, few_shot=0), out="again")
    assert [f.relative_to(made).as_posix() for f in written[1:]] == [
        "again/tasks/general-text/base.json",
        "again/tasks/mine/base.json",
    ]
    for path in written[1:]:
        before, again = read(made / "evaluation" / "tasks" / path.parent.name / "base.json"), read(path)
        assert again["metrics"] == before["metrics"] and again["environment"] == before["environment"]


def test_rows_are_read_before_anything_is_generated(made: Path) -> None:
    (made / "configs/tasks/none.yaml").write_text(
        "dataset: {type: jsonl, path: rows.jsonl, part: train}\nmetrics: [chrf]\nshots: 60\n"
        "columns: {question: q, answer: a}\n",
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="none is left to score"):
        score(made, "base", asking("configs/tasks/none.yaml"), out="never")
    assert not (made / "never").exists()


def test_a_model_with_a_head_is_asked_no_tasks_and_it_is_said(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dadeum.evaluate import step

    class Heard(Silent):
        said: list[str] = []

        def note(self, text: str) -> None:
            self.said.append(text)

    monkeypatch.setattr(step, "_label", lambda *_: made / "scores.json")
    monkeypatch.setattr(step, "_labeller", lambda *_: __import__("contextlib").nullcontext())
    beside = Beside(open_tasks(asking("general-text"), Workspace(made)), Workspace(made))
    for kind in ("base", "tuned"):
        step.evaluate_model(
            kind,  # type: ignore[arg-type]
            ModelAt(made / "base"),
            name="h",
            dataset="d",
            formatted=made,
            preprocessed=None,
            out=made / "heads",
            settings=asking("general-text"),
            reporter=Heard(),
            headed=True,
            beside=beside,
        )
    assert Heard.said == [step.no_tasks()]
