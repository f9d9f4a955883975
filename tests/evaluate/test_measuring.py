"""A metric that cannot measure something costs no other score, and says what it left out."""

from typing import Any

import pytest

from dadeum.config.evaluate import EvaluateSettings
from dadeum.core.errors import ConfigError, ModelError
from dadeum.evaluate.defaults import refuse_missing
from dadeum.evaluate.measuring import blank_references, measure, nothing_measured, others, runnable
from dadeum.evaluate.metrics import METRICS, Example, Scored, Value

SETTINGS = EvaluateSettings.model_validate({"bootstrap": 100})
ROWS = [Scored("가", "가"), Scored("폭탄", "나"), Scored("다", "다"), Scored("라", "마")]


class Fragile:
    """A metric whose library raises on one word."""

    needs, per_token, higher_is_better, floored, unit = "answer", False, True, True, "0-1"
    keys = {"fragile": ("x", "가")}

    def __init__(self, *bad: str) -> None:
        self.bad = bad

    def score(self, settings: Any, samples: Any) -> dict[str, Value]:
        for one in samples:
            if one.prediction in self.bad:
                raise RuntimeError(f"no {one.prediction}")
        return {"fragile": Value(tuple((float(s.prediction == s.reference), 1.0) for s in samples), "fragile|v1")}

    def combine(self, sums: Any) -> Any:
        return sums[..., 0] / sums[..., 1]

    def examples(self) -> list[Example]:
        return []


def measured(member: Any, rows: list[Scored] = ROWS) -> tuple[dict[str, Any], list[dict[str, Any]], list[str]]:
    metric = METRICS.validate("exact_match")
    samples = [{"source_row": 10 + i, "statistics": {}} for i in range(len(rows))]
    told: list[str] = []
    return measure(member, metric, rows, samples, SETTINGS, tell=told.append), samples, told


def test_a_row_that_a_library_cannot_take_is_left_out_and_told_by_number() -> None:
    found, samples, told = measured(Fragile("폭탄"))
    assert found["fragile"]["value"] == pytest.approx(2 / 3) and found["fragile"]["n"] == 3
    assert [s["statistics"].get("fragile") for s in samples] == [[1.0, 1.0], None, [1.0, 1.0], [0.0, 1.0]]
    assert len(told) == 1 and "1 rows cannot be measured" in told[0] and "test row 11" in told[0]
    assert "no 폭탄" in told[0]
    # The floor is of the rows that can be measured: no prediction is another row's reference.
    assert found["fragile"]["floor"] == 0.0


def test_a_metric_that_raises_on_all_is_left_out_and_told() -> None:
    found, samples, told = measured(Fragile("가", "폭탄", "다", "라"))
    assert found == {} and all(s["statistics"] == {} for s in samples)
    assert len(told) == 1 and "is left out" in told[0] and "RuntimeError: no 가" in told[0]


def test_what_is_not_finite_of_answers_is_left_out_of_likelihoods_it_is_the_weights_fault() -> None:
    class Broken(Fragile):
        def combine(self, sums: Any) -> Any:
            return sums[..., 0] * float("nan")

    found, _, told = measured(Broken())
    assert found == {} and "is not finite" in told[0]
    broken = Broken()
    broken.needs = "loss"
    with pytest.raises(ModelError, match="is not finite"):
        measured(broken)


def test_the_floor_is_of_other_rows_references_and_only_where_there_is_one() -> None:
    rows = [Scored("나", "가"), Scored("가", "나")]
    assert measured(Fragile(), rows)[0]["fragile"]["floor"] == 1.0
    free = Fragile()
    free.floored = False
    assert "floor" not in measured(free, rows)[0]["fragile"]
    assert "floor" not in measured(Fragile(), rows[:1])[0]["fragile"]


def test_the_floor_pairs_rows_at_random_and_not_neighbours() -> None:
    """Files are often sorted by subject: neighbours share an answer, and a floor of neighbours would be a score."""
    sorted_by_subject = [Scored(f"답 {i // 5}", f"답 {i // 5}") for i in range(100)]
    found = measured(Fragile(), sorted_by_subject)[0]["fragile"]
    assert found["value"] == 1.0 and found["floor"] <= 0.12  # 4 of 99 others are right
    for count in (2, 3, 8, 200):
        drawn = others(count)
        assert sorted(drawn) == list(range(count)) and all(i != at for at, i in enumerate(drawn))
        assert drawn == others(count)


def test_a_floor_of_another_signature_is_none() -> None:
    class Choosy(Fragile):
        def score(self, settings: Any, samples: Any) -> dict[str, Value]:
            found = super().score(settings, samples)["fragile"]
            return {"fragile": Value(found.rows, f"{samples[0].prediction}")}

    found = measured(Choosy(), [Scored("나", " "), Scored("가", "다"), Scored("다", "나")])[0]["fragile"]
    assert found["signature"] == "나" and "floor" not in found


def test_notes_are_told_once() -> None:
    class Noting(Fragile):
        def score(self, settings: Any, samples: Any) -> dict[str, Value]:
            value = super().score(settings, samples)["fragile"]
            return {"fragile": Value(value.rows, value.signature, "two texts were cut")}

    assert measured(Noting())[2] == ["exact_match: two texts were cut"]


def test_blank_references_are_counted() -> None:
    assert blank_references(ROWS) == ""
    assert "of 2 rows are blank" in blank_references([*ROWS, Scored("가", " "), Scored("가", "")])


def test_what_has_nothing_to_measure_is_told_once() -> None:
    settings = EvaluateSettings.model_validate({"metrics": ["chrf", "exact_match", "perplexity"]})
    metrics = {"perplexity": {"metric": "perplexity"}}
    told = nothing_measured(settings, metrics, ["chrf: is left out: it is late"])
    assert told.startswith("exact_match: no test row") and "chrf" not in told
    assert nothing_measured(settings, {n: {"metric": n} for n in ("chrf", "exact_match", "perplexity")}, []) == ""


def test_what_cannot_run_is_refused_before_and_left_out_after(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(settings: Any) -> None:
        raise ConfigError("its model is gone")

    settings = EvaluateSettings.model_validate({"metrics": ["chrf", "exact_match"]})
    refuse_missing(settings)
    monkeypatch.setattr(METRICS.member("chrf"), "ready", refuse, raising=False)
    with pytest.raises(ConfigError, match="its model is gone"):
        refuse_missing(settings)
    told: list[str] = []
    assert [metric.type for _, metric in runnable(settings, told.append)] == ["exact_match"]
    assert told == ["chrf: is left out: its model is gone"]
