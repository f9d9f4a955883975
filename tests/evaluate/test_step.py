"""The stages: artifacts in, the files that users look for out; a forecast without torch."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.progress import Silent
from dadeum.evaluate.step import ModelAt, compare_models, compare_questions, evaluate_model, evaluations_in, forecast
from tests.evaluate.judge_server import Judge, judging
from tests.evaluate.support import settings, write_conversations, write_rows
from tests.generate.support import save_adapter, save_small


class Heard(Silent):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    save_small(tmp_path / "base")
    save_adapter(tmp_path / "final", tmp_path / "base")
    write_rows(tmp_path / "formatted")
    write_conversations(tmp_path / "preprocessed")
    return tmp_path


def score(lab: Path, kind: Any, reporter: Any = None, **changes: Any) -> list[Path]:
    model = (
        ModelAt(lab / "base", device="cpu")
        if kind == "base"
        else ModelAt(lab / "final", base=lab / "base", device="cpu")
    )
    return evaluate_model(
        kind,
        model,
        name=kind,
        dataset="d",
        formatted=lab / "formatted",
        preprocessed=lab / "preprocessed",
        out=lab / "evaluation",
        settings=settings(**changes),
        reporter=reporter or Silent(),
    )


def test_base_without_and_with_examples_beside_the_tuned_one(lab: Path) -> None:
    assert [f.name for f in score(lab, "base")] == ["base_model_evaluation.json", "base_model_few_shot_evaluation.json"]
    assert [f.name for f in score(lab, "tuned")] == ["finetuned_model_evaluation.json"]
    found = evaluations_in(lab / "evaluation")
    assert list(found) == ["base", "base_few_shot", "tuned"]
    files = compare_models(found, out=lab / "evaluation", settings=settings(), reporter=Silent())
    assert [f.name for f in files] == [
        "model_comparison_results.csv",
        "comparison.md",
        "comparison.html",
        "comparison.json",
    ]
    page = files[1].read_text(encoding="utf-8")
    assert "base_few_shot: 3 examples before each question." in page
    assert "tuned − base" in page


def test_examples_that_do_not_fit_leave_their_column_out(lab: Path) -> None:
    score(lab, "base")
    heard = Heard()
    assert len(score(lab, "base", heard, max_new_tokens=240)) == 1
    assert any("no room for an example" in text for text in heard.warned)
    assert list(evaluations_in(lab / "evaluation")) == ["base"]
    assert len(score(lab, "base", few_shot=0)) == 1


def test_questions_of_a_file_are_put_to_each_model(lab: Path) -> None:
    questions = lab / "q.csv"
    questions.write_text("question,reference,category\n안녕?,네,일상\n질문?,,법\n", encoding="utf-8")
    models = [("A", ModelAt(lab / "base", device="cpu")), ("B", ModelAt(lab / "final", device="cpu"))]
    files = compare_questions(models, questions, out=lab / "out", settings=settings(), reporter=Silent())
    values = json.loads(files[-1].read_text(encoding="utf-8"))
    assert {m["name"]: m["n"] for m in values["metrics"]}["chrf"] == 1
    header = files[0].read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == "question,reference,category,A,B,A_tokens,A_seconds,B_tokens,B_seconds"
    questions.write_text("question\n안녕?\n", encoding="utf-8")
    files = compare_questions(models, questions, out=lab / "out", settings=settings(), reporter=Silent())
    assert json.loads(files[-1].read_text(encoding="utf-8"))["metrics"] == []


def test_a_judge_hears_the_answers_to_questions_of_a_file_too(lab: Path) -> None:
    (lab / "q.csv").write_text("question,reference\n안녕?,네\n질문?,답\n", encoding="utf-8")
    models = [(name, ModelAt(lab / "base", device="cpu")) for name in ("a", "b")]
    with judging(Judge()) as server:
        chosen = settings(judge={"base_url": server.url, "model": "j", "retries": 0}, few_shot=0)
        compare_questions(models, lab / "q.csv", out=lab / "out", settings=chosen, reporter=Silent())
    found = json.loads((lab / "out" / "comparison.json").read_text(encoding="utf-8"))["judge"]
    assert found["models"]["b"]["ties"] == 2 and len(server.asked) == 4


def test_forecast() -> None:
    found = forecast(settings(limit=5), rows=8, kind="base")
    assert (found["rows"], found["prompts"], found["new_tokens_at_most"]) == (5, 10, 80)
    assert forecast(settings(), rows=8, kind="tuned")["prompts"] == 8
    assert forecast(settings(), rows=None, kind="tuned")["rows"] is None


def test_forecast_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dadeum.config.evaluate import EvaluateSettings\n"
        "from dadeum.evaluate.step import forecast\n"
        "from dadeum.export.step import forecast as export\n"
        "s = EvaluateSettings(); forecast(s, rows=3, kind='base'); export([], weights=None)\n"
        "import dadeum.generate.questions\n"
        "print([m for m in ('torch', 'transformers', 'datasets', 'pandas', 'numpy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_encoder_of_a_metric_is_given_back_with_the_model(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stood beside the training that follows the base's evaluation."""
    from functools import lru_cache

    held = lru_cache(maxsize=1)(lambda name, revision: object())
    monkeypatch.setattr("dadeum.evaluate.encoder.load_encoder", held)
    held("some/encoder", "main")
    score(lab, "base", few_shot=0)
    assert held.cache_info().currsize == 0
