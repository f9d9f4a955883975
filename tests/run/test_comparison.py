"""Models by name against each other, on the test rows of a run or on a file of questions."""

import csv
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.artifact import read_json
from dadeum.core.errors import ArtifactError, ConfigError, ModelError
from dadeum.core.progress import Silent
from dadeum.evaluate import step
from dadeum.evaluate.step import FILES
from dadeum.run.comparison import compare_named, judged
from tests.run.lab import NAME, files_below, fine, inside, runs_of


class Told(Silent):
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def _compare(root: Path, *models: str, told: Told | None = None, **more: Any) -> Path:
    given: dict[str, Any] = {
        "questions": None,
        "out": None,
        "max_new_tokens": None,
        "reporter": told or Silent(),
        **more,
    }
    with inside(root):
        return compare_named(models, **given)


def _base(root: Path) -> str:
    (base,) = (root / "checkpoints" / NAME).glob("base-*")
    return base.relative_to(root).as_posix()


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "model_comparison_results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model is loaded."""

    def loaded(*_: object, **__: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(step, "_opened", loaded)


@pytest.mark.usefixtures("never")
def test_what_a_run_was_scored_by_is_used_again(done: Path, tmp_path: Path) -> None:
    told = Told()
    folder = _compare(done, _base(done), NAME, told=told, out=tmp_path / "out")
    base = Path(_base(done)).name
    assert [note for note in told.notes if "evaluated already" in note] == [
        f"{base}: evaluated already, its scores are used",
        f"{NAME}: evaluated already, its scores are used",
    ]
    found, run = read_json(folder / "comparison.json"), runs_of(done)[0]
    own = read_json(run.evaluation / "comparison.json")
    few = run.evaluation / FILES["base_few_shot"]
    assert found["models"] == [base, *([f"{base}_few_shot"] if few.is_file() else []), NAME]
    for metric, same in zip(found["metrics"], own["metrics"], strict=True):
        assert metric["values"][NAME] == same["values"]["tuned"]
        assert metric["differences"][NAME] == same["differences"]["tuned"]


def test_other_settings_are_asked_again_with_examples_for_the_plain_base(ran: Path) -> None:
    told = Told()
    folder = _compare(ran, _base(ran), NAME, told=told, max_new_tokens=4)
    assert folder.parent == ran / "experiments" / "comparisons"
    assert not [note for note in told.notes if "evaluated already" in note]
    assert f"rows are asked and measured by the settings of {NAME}" in told.notes
    found, base = read_json(folder / "comparison.json"), Path(_base(ran)).name
    assert found["models"] == [base, f"{base}_few_shot", NAME]
    perplexity = next(m for m in found["metrics"] if m["name"] == "perplexity")
    assert perplexity["values"][NAME] < perplexity["values"][base]
    assert {e["decoding"]["max_new_tokens"] for e in found["environments"].values()} == {4}
    questions = {row["question"] for row in _rows(folder)}
    asked = runs_of(ran)[0].evaluation
    assert len(questions) == 4 and questions == {row["question"] for row in _rows(asked)}
    assert next(folder.glob("comparison_*.log")).is_file()


def test_scores_that_were_changed_are_not_used(ran: Path) -> None:
    path = runs_of(ran)[0].evaluation / FILES["tuned"]
    path.write_text(path.read_text(encoding="utf-8").replace('"value"', '"value" '), encoding="utf-8")
    told = Told()
    _compare(ran, _base(ran), NAME, told=told)
    assert not [note for note in told.notes if note.startswith(f"{NAME}: evaluated already")]


def test_questions_of_a_file_and_a_condition_for_ci(ran: Path, tmp_path: Path) -> None:
    questions = tmp_path / "q.csv"
    questions.write_text("question,answer,category\n안녕?,안녕!,인사\n잘가,그래,인사\n", encoding="utf-8")
    folder = _compare(ran, _base(ran), NAME, questions=questions, out=tmp_path / "out", max_new_tokens=4, by="chrf")
    assert folder == tmp_path / "out"
    assert [(row["question"], row["reference"]) for row in _rows(folder)] == [("안녕?", "안녕!"), ("잘가", "그래")]
    found, base = read_json(folder / "comparison.json"), Path(_base(ran)).name
    assert found["models"] == [base, f"{base}_few_shot", NAME]
    assert found["changes"]["metric"] == "chrf" and found["categories"]["rows"] == {"인사": 2}
    sure, never = judged(folder, ["chrf >= 0", f"perplexity > {base}"])
    assert sure.holds and not never.holds and NAME in sure.sentence


def test_a_model_against_itself_is_no_better(ran: Path, tmp_path: Path) -> None:
    found = read_json(_compare(ran, NAME, NAME, out=tmp_path / "out") / "comparison.json")
    assert found["models"] == [f"{NAME}-1", f"{NAME}-2"]
    assert all(d["difference"] == 0 for m in found["metrics"] for d in m["differences"].values())


@pytest.mark.usefixtures("never")
def test_what_cannot_be_compared_writes_nothing(done: Path, tmp_path: Path) -> None:
    before = files_below(done)
    base = _base(done)
    cases: list[tuple[list[str], dict[str, Any], type[Exception], str]] = [
        ([NAME], {}, ArtifactError, "found 1 model, expected two or more"),
        ([NAME, "tinny"], {}, ModelError, "did you mean 'tiny'"),
        ([base, base], {}, ArtifactError, "none of the models is a run of this workspace"),
        ([NAME, base], {"questions": tmp_path / "none.txt"}, ArtifactError, r"none\.txt: no such file of questions"),
        ([NAME, base], {"fail_if": ["chrf < tinny"]}, ConfigError, "did you mean 'tiny'"),
        ([NAME, base], {"fail_if": ["chrff < 1"]}, ConfigError, "did you mean 'chrf'"),
        ([NAME, base], {"fail_if": ["rougeL < 1"]}, ConfigError, "rougeL is not measured here; add rouge"),
        ([NAME, base], {"by": "chrff"}, ConfigError, "--by: found 'chrff', .*did you mean 'chrf'"),
        ([NAME, base], {"by": "auroc"}, ConfigError, "--by: found 'auroc'"),
    ]
    for models, more, kind, words in cases:
        with pytest.raises(kind, match=words):
            _compare(done, *models, **more)
    assert files_below(done) == before


MRC = "data.sources=[{type: jsonl, path: rows.jsonl}]"


def test_the_questions_of_a_paragraph_are_drawn_together(tmp_path: Path, material: Path) -> None:
    """KorQuAD's dev set: about ten questions a paragraph."""
    import json

    from tests.run.lab import make_workspace

    dev = json.loads((material / "ko_mrc" / "KorQuAD_v1.0_dev.json").read_text(encoding="utf-8"))["data"]
    paragraphs = [p for article in dev[:8] for p in article["paragraphs"]][:12]
    lines = [
        {"context": p["context"][:40], "question": qa["question"][:30], "answers": qa["answers"]}
        for p in paragraphs
        for qa in p["qas"][:6]
    ]
    root = make_workspace(tmp_path / "w")
    (root / "rows.jsonl").write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines), encoding="utf-8")
    more = [
        "data.split.test=0.5",
        "train.max_steps=1",
        "evaluate.limit=24",
        "evaluate.few_shot=0",
        "data.max_length=256",
    ]
    fine(root, "run", NAME, MRC, *more, "evaluate.metrics=[perplexity, chrf]", "evaluate.max_new_tokens=2")
    found = read_json(runs_of(root)[0].evaluation / "comparison.json")
    assert found["bootstrap"]["units"] == "contexts" and any(
        "share" in note and "contexts" in note for note in found["notes"]
    )
    tuned = read_json(runs_of(root)[0].evaluation / FILES["tuned"])
    groups = {sample["group"] for sample in tuned["samples"]}
    assert all((m["n"], m["units"]) == (24, len(groups)) for m in found["metrics"]) and 2 < len(groups) <= 12
