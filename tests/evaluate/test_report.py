"""The files of a comparison, as their users open them."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from dadeum.evaluate.compare import Comparison, compare
from dadeum.evaluate.report import markdown, write_comparison
from dadeum.evaluate.result import EvaluationResult
from tests.evaluate.support import evaluated, rows_in
from tests.generate.support import QUESTIONS, opened, save_small


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("models")
    rows = rows_in(folder)
    made = {
        name: evaluated(opened(save_small(folder / name, seed=i)), rows) for i, name in enumerate(("base", "tuned"))
    }
    made["tuned"].samples[0]["prediction"] = "=1+1 | <b>굵게</b>\n# 제목"
    return compare(list(made.items()), draws=100, seed=0)


def test_the_csv_has_the_columns_that_users_expect(comparison: Comparison, tmp_path: Path) -> None:
    write_comparison(tmp_path, comparison)
    data = (tmp_path / "model_comparison_results.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    with (tmp_path / "model_comparison_results.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [
        "question",
        "reference",
        "category",
        "base",
        "tuned",
        "base_tokens",
        "base_seconds",
        "tuned_tokens",
        "tuned_seconds",
    ]
    assert list(rows[0]) == columns
    assert [r["question"] for r in rows] == QUESTIONS
    assert rows[0]["tuned"].startswith("'=1+1")
    base = comparison.columns[0].samples
    assert [int(r["base_tokens"]) for r in rows] == [s["tokens"] for s in base]
    assert [r["base"] for r in rows[1:]] == [s["prediction"] for s in base[1:]]


def test_json_holds_every_number(comparison: Comparison, tmp_path: Path) -> None:
    write_comparison(tmp_path, comparison)
    values = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert values["models"] == ["base", "tuned"]
    chrf = next(m for m in values["metrics"] if m["name"] == "chrf")
    assert set(chrf["differences"]["tuned"]) == {
        *("difference", "low", "high", "wins", "ties", "losses", "n", "p", "how", "lost", "clear")
    }
    assert set(values["environments"]) == {"base", "tuned"}


EVIL = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) =cmd() | `a`"


def test_the_page_cannot_be_broken_by_an_answer(comparison: Comparison) -> None:
    page = markdown(comparison)
    tables = [[line for line in part.splitlines() if line.startswith("|")] for part in page.split("## ")]
    assert len(tables[0]) == 2 + len(comparison.metrics)
    assert len(tables[1]) == 2 + 2  # the categories
    for table in tables[:2]:
        assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert "\n    # 제목\n" in page  # an indented block, no heading
    assert "not the seed of the training" in page


def test_names_and_categories_cannot_break_it_either(comparison: Comparison) -> None:
    samples = [{**s, "category": EVIL, "question": EVIL, "prediction": EVIL} for s in comparison.columns[0].samples]
    evil = [
        (name, replace(column, samples=samples)) for name, column in zip(("a", EVIL), comparison.columns, strict=True)
    ]
    page = markdown(compare(evil, draws=100, seed=0))
    lines = [line for line in page.splitlines() if not line.startswith("    ")]
    assert not any("<img" in line or "](" in line for line in lines)
    assert any("&lt;img" in line for line in lines)


def test_gains_and_losses_stand_side_by_side(comparison: Comparison) -> None:
    page = markdown(comparison)
    told = comparison.plain()["changes"]
    for kind, title in (("gains", "largest gains"), ("losses", "largest losses")):
        rows = told["models"]["tuned"][kind]
        assert (f"## tuned: {title} by {told['metric']}" in page) == bool(rows)
        assert all(f"    {row['question']}" in page for row in rows)
    none = replace(comparison, changes=None)
    assert markdown(none).count("## Sample") == 3


def test_the_spread_of_seeds_stands_beside_the_value(comparison: Comparison) -> None:
    spread = {
        "seeds": [1, 2],
        "metrics": {"chrf": {"values": {"1": 1.0, "2": 3.0}, "mean": 2.0, "sd": 1.4, "low": 1.0, "high": 3.0}},
    }
    found = replace(comparison, seeds=spread)
    (line,) = [line for line in markdown(found).splitlines() if line.startswith("| chrf")]
    assert "±1.4 over 2 seeds [1, 3]" in line
    assert found.plain()["seeds"] == spread


def test_the_page_in_korean(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    page = markdown(comparison)
    assert "# 비교" in page and "시험" not in page.splitlines()[0]


def test_samples_without_category_have_no_such_column(comparison: Comparison, tmp_path: Path) -> None:
    bare = [
        EvaluationResult(**{**vars(c), "samples": [{k: v for k, v in s.items() if k != "category"} for s in c.samples]})
        for c in comparison.columns
    ]
    write_comparison(tmp_path, compare(list(zip(comparison.names, bare, strict=True)), draws=100, seed=0))
    header = (tmp_path / "model_comparison_results.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert "category" not in header
