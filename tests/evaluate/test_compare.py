"""Like is compared with like, over the same rows."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.evaluate.compare import compare
from dadeum.evaluate.metrics import METRICS
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.statistics import paired
from tests.evaluate.support import evaluated, rows_in
from tests.generate.support import opened, save_small


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, EvaluationResult]]:
    folder = tmp_path_factory.mktemp("models")
    rows = rows_in(folder)
    names = ("base", "tuned")
    return [(name, evaluated(opened(save_small(folder / name, seed=seed)), rows)) for seed, name in enumerate(names)]


def changed(result: EvaluationResult, **environment: Any) -> EvaluationResult:
    return replace(result, environment={**result.environment, **environment})


def test_differences_are_the_paired_bootstraps(columns: list[tuple[str, EvaluationResult]]) -> None:
    found = compare(columns, draws=300, seed=4)
    assert [m.name for m in found.metrics] == ["perplexity", "bits_per_byte", "chrf", "exact_match"]
    for metric in found.metrics:
        member = METRICS.member(columns[0][1].metrics[metric.name]["metric"])
        rows = [[s["statistics"][metric.name] for s in result.samples] for _, result in columns]
        by_hand = paired(rows[0], rows[1], member, draws=300, seed=4)
        assert metric.differences == {"tuned": by_hand}
        assert metric.n == metric.units == 8
        assert by_hand.difference == pytest.approx(metric.values["tuned"] - metric.values["base"])
        assert metric.values["base"] == pytest.approx(columns[0][1].metrics[metric.name]["value"])
    assert found.plain()["bootstrap"] == {
        "draws": 300,
        "seed": 4,
        "covers": "the choice of test rows only",
        "interval": 0.95,
        "method": "BCa",
        "units": "rows",
    }
    assert "test rows only" in found.notes[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"questions_sha256": "x"}, "unlike questions"),
        ({"targets_sha256": "x"}, "unlike reference answers"),
        ({"decoding": {"max_new_tokens": 9}}, "unlike decoding settings"),
    ],
)
def test_unlike_terms_are_refused(
    columns: list[tuple[str, EvaluationResult]], change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ArtifactError, match=f"'base' and 'tuned' were evaluated with {said}"):
        compare([columns[0], ("tuned", changed(columns[1][1], **change))], draws=100, seed=0)


def test_unlike_signatures_are_refused(columns: list[tuple[str, EvaluationResult]]) -> None:
    other = copy.deepcopy(columns[1][1])
    other.metrics["chrf"]["signature"] += "|nc:4"
    with pytest.raises(ArtifactError, match="chrf: 'base' has signature"):
        compare([columns[0], ("tuned", other)], draws=100, seed=0)


def test_perplexities_of_unlike_tokenizers_are_not_ranked(columns: list[tuple[str, EvaluationResult]]) -> None:
    found = compare([columns[0], ("tuned", changed(columns[1][1], tokenizer_sha256="x"))], draws=100, seed=0)
    ranked = {m.name: (m.ranked, bool(m.differences)) for m in found.metrics}
    assert ranked["perplexity"] == (False, False)
    assert ranked["bits_per_byte"] == (True, True)
    assert any("perplexity" in note and "bits_per_byte" in note for note in found.notes)


def test_unlike_templates_are_said(columns: list[tuple[str, EvaluationResult]]) -> None:
    found = compare([columns[0], ("tuned", changed(columns[1][1], template_sha256="x"))], draws=100, seed=0)
    assert any("unlike chat templates" in note for note in found.notes)
    assert not any("unlike chat templates" in note for note in compare(columns, draws=100, seed=0).notes)


def test_a_metric_that_one_model_lacks_is_told(columns: list[tuple[str, EvaluationResult]]) -> None:
    (first, base), (name, tuned) = columns
    less = replace(tuned, metrics={key: value for key, value in tuned.metrics.items() if key != "chrf"})
    found = compare([(first, base), (name, less)], draws=100, seed=1)
    assert "chrf" not in [metric.name for metric in found.metrics]
    assert "chrf: measured of base alone, so not compared." in found.notes
    assert not any("alone" in note for note in compare(columns, draws=100, seed=1).notes)


def test_names_must_differ(columns: list[tuple[str, EvaluationResult]]) -> None:
    with pytest.raises(ArtifactError, match="two or more with unlike names"):
        compare([columns[0], ("base", columns[1][1])], draws=100, seed=0)
    with pytest.raises(ArtifactError, match="two or more"):
        compare(columns[:1], draws=100, seed=0)


def test_rows_that_one_model_lacks_are_left_out_for_all(
    columns: list[tuple[str, EvaluationResult]], tmp_path: Path
) -> None:
    other = copy.deepcopy(columns[1][1])
    del other.samples[3]["statistics"]["chrf"]
    found = {m.name: m for m in compare([columns[0], ("tuned", other)], draws=100, seed=0).metrics}
    chrf = found["chrf"]
    assert (chrf.n, found["perplexity"].n) == (7, 8)
    assert chrf.values["base"] != pytest.approx(columns[0][1].metrics["chrf"]["value"], rel=1e-9)
    assert chrf.differences["tuned"].difference == pytest.approx(chrf.values["tuned"] - chrf.values["base"])
    for sample in other.samples:
        sample["statistics"].pop("chrf", None)
    assert "chrf" not in {m.name for m in compare([columns[0], ("tuned", other)], draws=100, seed=0).metrics}
