"""What was forgotten: the same tasks before and after, with paired intervals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.progress import Silent
from dadeum.evaluate.elsewhere import cells, elsewhere, file_of, header, lines, title, verdict
from dadeum.evaluate.harness_metric import MEAN
from dadeum.evaluate.result import EvaluationResult
from tests.evaluate.tasks import asking

ENVIRONMENT = {
    "questions_sha256": "q",
    "targets_sha256": "t",
    "decoding": {},
    "task": {"name": "x"},
    "tokenizer_sha256": "k",
}


def result(values: list[float], metric: str = MEAN, name: str = "acc", **more: Any) -> EvaluationResult:
    """Scores whose statistics are (value, 1)."""
    made = {
        "value": sum(values) / len(values),
        "signature": "s",
        "higher_is_better": metric == MEAN,
        "n": len(values),
        "unit": "",
        "metric": metric,
        "interval": None,
    }
    samples = [{"statistics": {name: [value, 1.0]}} for value in values]
    return EvaluationResult("m", "x", {name: made}, samples, {**ENVIRONMENT, **more})


def put(folder: Path, base: EvaluationResult, tuned: EvaluationResult, task: str = "x") -> None:
    for kind, one in (("base", base), ("tuned", tuned)):
        path = file_of(folder, task, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        one.write(path)


class Heard(Silent):
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)


def test_a_loss_is_found_and_named(tmp_path: Path) -> None:
    put(tmp_path, result([1.0] * 30 + [0.0] * 10), result([1.0] * 10 + [0.0] * 30))
    (row,) = elsewhere(tmp_path, asking("lm-eval:x", "x.yaml"), Silent())
    assert (row["task"], row["metric"], row["base"], row["tuned"], row["n"]) == ("x", "acc", 0.75, 0.25, 40)
    assert row["difference"] == -0.5 and row["interval"][0] < -0.5 < row["interval"][1] < 0
    assert row["verdict"] == "worse" and row["p"] < 0.01
    (shown,) = cells([row])
    assert (
        shown[0] == "x (40)"
        and shown[5] == "forgotten"
        and shown[4].startswith("-0.5 [")
        and len(shown) == len(header())
    )
    assert any(title() in line for line in lines([row])) and lines([]) == []


def test_a_few_rows_prove_nothing(tmp_path: Path) -> None:
    put(tmp_path, result([1.0] * 9), result([0.0, 0.1, 0.0] * 3))
    (row,) = elsewhere(tmp_path, asking("x.yaml"), Silent())
    assert row["interval"][1] < 0 and row["verdict"] == "unclear"


def test_lower_is_better_for_losses(tmp_path: Path) -> None:
    kind = {"metric": "bits_per_byte", "name": "bits_per_byte"}
    put(tmp_path, result([2.0, 3.0, 2.5, 2.2] * 10, **kind), result([1.0, 1.5, 1.2, 1.1] * 10, **kind))
    (row,) = elsewhere(tmp_path, asking("x.yaml"), Silent())
    assert row["verdict"] == "better" and row["difference"] < 0


def test_only_the_tasks_that_are_asked_for_now(tmp_path: Path) -> None:
    put(tmp_path, result([1.0, 0.0]), result([1.0, 0.0]))
    assert elsewhere(tmp_path, asking("general-text"), Silent()) == []
    assert elsewhere(tmp_path, asking("x.yaml"), Silent())[0]["verdict"] == "unclear"
    file_of(tmp_path, "x", "tuned").unlink()
    assert elsewhere(tmp_path, asking("x.yaml"), Silent()) == []


@pytest.mark.parametrize("key", ["questions_sha256", "targets_sha256", "decoding", "task"])
def test_unlike_scores_are_told_and_not_compared(tmp_path: Path, key: str) -> None:
    put(tmp_path, result([1.0, 0.0]), result([1.0, 0.0], **{key: "another"}))
    heard = Heard()
    assert elsewhere(tmp_path, asking("x.yaml"), heard) == []
    assert heard.warned == [
        f"task x: base and tuned model were scored unlike ({key}), so they are not compared; score both again"
    ]


def test_unlike_signatures_are_not_compared(tmp_path: Path) -> None:
    other = result([1.0, 0.0])
    other.metrics["acc"]["signature"] = "another"
    put(tmp_path, result([1.0, 0.0]), other)
    heard = Heard()
    assert elsewhere(tmp_path, asking("x.yaml"), heard) == [] and "(signature)" in heard.warned[0]


def test_a_score_without_rows_has_values_and_no_interval(tmp_path: Path) -> None:
    bare = [replace(result([1.0, 0.0]), samples=[{"statistics": {}}] * 2) for _ in range(2)]
    put(tmp_path, *bare)
    (row,) = elsewhere(tmp_path, asking("x.yaml"), Silent())
    assert row["interval"] is None and row["verdict"] == "unknown" and row["difference"] == 0
    assert cells([row])[0][4] == "+0"


def test_perplexities_of_unlike_tokenizers_are_left_out(tmp_path: Path) -> None:
    kind = {"metric": "perplexity", "name": "perplexity"}
    put(tmp_path, result([2.0, 3.0], **kind), result([2.0, 3.0], tokenizer_sha256="other", **kind))
    assert elsewhere(tmp_path, asking("x.yaml"), Silent()) == []


@pytest.mark.parametrize(
    ("low", "high", "up", "word"),
    [(0.1, 0.2, True, "better"), (0.1, 0.2, False, "worse"), (-0.2, -0.1, True, "worse"), (-0.2, -0.1, False, "better"), (-0.1, 0.1, True, "unclear")],
)  # fmt: skip
def test_verdicts(low: float, high: float, up: bool, word: str) -> None:
    assert verdict(low, high, up) == word
