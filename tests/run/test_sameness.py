"""dadeum.run.sameness: identical, equal within, different since."""

import json
from pathlib import Path

import pytest

from dadeum.run.sameness import hold
from dadeum.run.store import Run
from tests.run.lab import runs_of
from tests.run.several import LATER, another, edit


def shift(run: Run, step: int, factor: float, key: str = "loss") -> None:
    """Multiply a number of one step of the metrics."""
    path = run.evidence / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        if line["step"] == step and key in line:
            line[key] *= factor
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.fixture
def pair(ran: Path) -> tuple[Run, Run]:
    return runs_of(ran)[0], another(ran, LATER)


def test_identical(pair: tuple[Run, Run]) -> None:
    found = hold(*pair)
    assert (found.verdict, found.steps, found.first, found.beyond, found.largest) == ("identical", 6, None, None, 0.0)
    assert found.weights == {"adapter_model.safetensors": True} and found.answers == [4, 4]


@pytest.mark.parametrize(
    ("factor", "verdict", "beyond"),
    [(1 + 1e-15, "equal within", None), (1 + 1e-6, "equal within", None), (1.01, "different", 3)],
)
def test_a_loss_that_differs(pair: tuple[Run, Run], factor: float, verdict: str, beyond: int | None) -> None:
    shift(pair[1], 3, factor)
    found = hold(*pair)
    assert (found.verdict, found.first, found.beyond) == (verdict, 3, beyond)
    assert found.largest == pytest.approx(factor - 1, rel=0.02, abs=3e-16)
    assert hold(*pair, tolerance=0.1).verdict == "equal within"


def test_a_gradient_norm_is_looked_at_but_does_not_judge(pair: tuple[Run, Run]) -> None:
    shift(pair[1], 2, 2.0, key="grad_norm")
    assert (hold(*pair).first, hold(*pair).verdict) == (2, "equal within")


def test_other_weights_or_answers_are_not_identical(pair: tuple[Run, Run]) -> None:
    manifest = json.loads((pair[1].final / "manifest.json").read_text(encoding="utf-8"))
    edit(pair[1].final / "manifest.json", files=manifest["files"] | {"adapter_model.safetensors": "0" * 64})
    found = hold(*pair)
    assert (found.verdict, found.weights) == ("equal within", {"adapter_model.safetensors": False})
    path = pair[1].evaluation / "finetuned_model_evaluation.json"
    scores = json.loads(path.read_text(encoding="utf-8"))
    scores["samples"][0]["prediction"] += "!"
    scores["metrics"]["perplexity"]["value"] *= 2
    edit(path, samples=scores["samples"], metrics=scores["metrics"])
    found = hold(*pair)
    assert (found.verdict, found.beyond, found.answers) == ("different", None, [3, 4])


def test_steps_that_are_not_there_differ(pair: tuple[Run, Run]) -> None:
    path = pair[1].evidence / "metrics.jsonl"
    path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:2]), encoding="utf-8")
    found = hold(*pair)
    assert (found.verdict, found.first, found.beyond) == ("different", 3, 3)
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["verdict"] == "different"
