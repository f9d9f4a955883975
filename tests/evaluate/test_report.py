"""The files of a comparison, as their users open them."""

import csv
import json
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


def test_the_page_cannot_be_broken_by_an_answer(comparison: Comparison) -> None:
    page = markdown(comparison)
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(comparison.metrics)
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert "\n    # 제목\n" in page  # an indented block, no heading
    assert "not the seed of the training" in page
    assert page.count("## Sample") == 3


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
