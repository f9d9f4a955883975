"""Models by name against each other, on the test rows of a run or on a file of questions."""

import csv
from pathlib import Path

import pytest

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.artifact import read_json
from dadeum.core.errors import ArtifactError, ModelError
from dadeum.core.progress import Silent
from dadeum.run import comparison
from dadeum.run.comparison import compare_named
from tests.run.lab import NAME, files_below, inside, runs_of


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the metric that loads an analyser of morphemes."""

    def settings(**changes: object) -> EvaluateSettings:
        return EvaluateSettings.model_validate({"metrics": ["perplexity", "chrf"], "limit": 4, **changes})

    monkeypatch.setattr(comparison, "EvaluateSettings", settings)


def _compare(root: Path, *models: str, questions: Path | None = None, out: Path | None = None) -> Path:
    with inside(root):
        return compare_named(models, questions=questions, out=out, max_new_tokens=4, reporter=Silent())


def _base(root: Path) -> str:
    (base,) = (root / "checkpoints" / NAME).glob("base-*")
    return base.relative_to(root).as_posix()


def test_a_run_against_its_base_on_its_test_rows(ran: Path) -> None:
    folder = _compare(ran, _base(ran), NAME)
    assert folder.parent == ran / "experiments" / "comparisons"
    found = read_json(folder / "comparison.json")
    assert found["models"] == [Path(_base(ran)).name, NAME]
    perplexity = next(m for m in found["metrics"] if m["name"] == "perplexity")
    assert perplexity["values"][NAME] < perplexity["values"][Path(_base(ran)).name]
    questions = {row["question"] for row in _rows(folder)}
    asked = runs_of(ran)[0].evaluation / "model_comparison_results.csv"
    assert len(questions) == 4 and questions == {row["question"] for row in _rows(asked.parent)}
    assert next(folder.glob("comparison_*.log")).is_file()


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "model_comparison_results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_questions_of_a_file(ran: Path, tmp_path: Path) -> None:
    questions = tmp_path / "q.csv"
    questions.write_text("question,answer\n안녕?,안녕!\n잘가,그래\n", encoding="utf-8")
    folder = _compare(ran, NAME, _base(ran), questions=questions, out=tmp_path / "out")
    assert folder == tmp_path / "out"
    assert [(row["question"], row["reference"]) for row in _rows(folder)] == [("안녕?", "안녕!"), ("잘가", "그래")]
    assert {m["name"] for m in read_json(folder / "comparison.json")["metrics"]} >= {"chrf"}


def test_a_model_against_itself_is_no_better(ran: Path, tmp_path: Path) -> None:
    folder = _compare(ran, NAME, NAME, out=tmp_path / "out")
    found = read_json(folder / "comparison.json")
    assert found["models"] == [f"{NAME}-1", f"{NAME}-2"]
    assert all(d["difference"] == 0 for m in found["metrics"] for d in m["differences"].values())


def test_what_cannot_be_compared_writes_nothing(done: Path, tmp_path: Path) -> None:
    before = files_below(done)
    base = _base(done)
    for models, questions, kind, words in (
        ([NAME], None, ArtifactError, "found 1 model, expected two or more"),
        ([NAME, "tinny"], None, ModelError, "did you mean 'tiny'"),
        ([base, base], None, ArtifactError, "none of the models is a run of this workspace"),
        ([NAME, base], tmp_path / "none.txt", ArtifactError, r"none\.txt: no such file of questions"),
    ):
        with pytest.raises(kind, match=words):
            _compare(done, *models, questions=questions)
    assert files_below(done) == before
