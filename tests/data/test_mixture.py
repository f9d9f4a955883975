"""Rows of several sources by count and by weight: how many, which, and where the others are told."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dadeum.config.purpose import SFT
from dadeum.core import artifact
from dadeum.core.errors import DataError
from dadeum.core.progress import Silent
from dadeum.data import step
from dadeum.data.mixture import quotas
from dadeum.data.samples import Samples
from tests.data.small import Data


@pytest.fixture
def data(tmp_path: Path) -> Data:
    made = Data(tmp_path)
    made.write("a.jsonl", lines("가", 1000))
    made.write("b.jsonl", lines("나", 200))
    return made


def lines(word: str, rows: int) -> str:
    return "".join(json.dumps({"question": f"{word} 질문 {n}", "answer": f"{word} 답 {n}"}) + "\n" for n in range(rows))


def source(name: str, **keys: Any) -> dict[str, Any]:
    return {"type": "jsonl", "path": f"{name}.jsonl", **keys}


def asked(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Question: part."""
    return {row["messages"][0]["content"]: row["part"] for row in rows}


def of(rows: list[dict[str, Any]], name: str) -> Counter[str]:
    return Counter(row["part"] for row in rows if row["where"].startswith(f"{name}.jsonl"))


def test_a_count_is_kept_to_the_row_and_the_others_are_listed(data: Data) -> None:
    settings = data.settings(source("a", rows=500), source("b"))
    rows, report = data.rows(settings), data.report(settings)
    parts, whole = of(rows, "a"), of(data.rows(data.settings(source("a"), source("b"))), "a")
    assert parts.total() == 500 and all(abs(parts[part] - whole[part] / 2) < 1 for part in whole)
    assert of(rows, "b").total() == 200
    assert report["dropped"] == {"not drawn": 500}
    assert report["read"] == 1200 and report["kept"] == len(rows) == sum(report["parts"].values()) == 700
    assert report["mixture"] == [
        {"source": 0, "name": "a.jsonl", "rows": 500, "read": 1000, "left": 1000, "kept": 500, "repeated": 0},
        {"source": 1, "name": "b.jsonl", "read": 200, "left": 200, "kept": 200, "repeated": 0},
    ]
    listed = (data.preprocess(settings) / step.FAULTY).read_text(encoding="utf-8").splitlines()
    gone = [json.loads(line) for line in listed]
    assert {entry["reason"] for entry in gone} == {"500 of 1,000 rows of a.jsonl are taken"}
    assert sorted([*(e["source_row"] for e in gone), *(r["source_row"] for r in rows)]) == list(range(1200))


def test_no_row_changes_its_part_and_a_larger_draw_holds_the_smaller(data: Data) -> None:
    whole = asked(data.rows(data.settings(source("a"), source("b"))))
    few = asked(data.rows(data.settings(source("a", rows=100), source("b"))))
    more = asked(data.rows(data.settings(source("a", rows=300), source("b"))))
    assert few.items() <= more.items() <= whole.items()
    other = asked(data.rows(data.settings(source("a", rows=100), source("b"), split={"seed": 7})))
    assert len(other.keys() & few.keys()) < 250


def test_the_order_of_rows_says_nothing(data: Data) -> None:
    before = asked(data.rows(data.settings(source("a", rows=100))))
    data.write("a.jsonl", "\n".join(reversed(lines("가", 1000).splitlines())))
    assert asked(data.rows(data.settings(source("a", rows=100)))) == before


def test_draws_are_uniform(data: Data) -> None:
    """Each row comes as often as any other, equal rows too: 40 draws of half of 200 rows."""
    data.write("b.jsonl", lines("나", 100) + lines("나", 1) * 100)
    nothing = {"validation": 0, "test": 0}
    counts = np.zeros(200)
    for seed in range(40):
        report_rows = data.rows(data.settings(source("b", rows=100), split={**nothing, "seed": seed}))
        counts[[row["source_row"] for row in report_rows]] += 1
    assert counts.sum() == 4000
    # Chi-squared over 200 cells of variance 40 x 1/4: mean 199, four deviations 80. Of equal rows the first come first.
    assert 119 < ((counts[:100] - 20) ** 2 / 10).sum() + 99 < 279
    assert abs(counts[100:].sum() - 2000) < 4 * np.sqrt(40 * 200 / 16)


def test_weights_are_shares_and_repeat_nothing(data: Data) -> None:
    settings = data.settings(source("a", weight=3), source("b", weight=1))
    rows = data.rows(settings)
    assert (of(rows, "a").total(), of(rows, "b").total()) == (600, 200)
    rows = data.rows(data.settings(source("a", weight=1), source("b", weight=4)))
    assert (of(rows, "a").total(), of(rows, "b").total()) == (50, 200)


def test_weights_beside_a_count_and_a_source_without_either(data: Data) -> None:
    data.write("c.jsonl", lines("다", 30))
    data.write("d.jsonl", lines("라", 20))
    sources = [source("a", weight=0.5), source("b", weight=0.5), source("c", rows=10), source("d")]
    rows = data.rows(data.settings(*sources))
    assert [of(rows, name).total() for name in "abcd"] == [200, 200, 10, 20]


def test_filters_and_duplicates_come_first(data: Data) -> None:
    data.write("b.jsonl", lines("나", 100) + lines("나", 100))
    filters = [{"type": "regex", "pattern": "7"}]
    settings = data.settings(source("b", rows=60), filters=filters, duplicates="drop_exact")
    report = data.report(settings)
    assert report["dropped"] == {"duplicate": 81, "filter: regex": 38, "not drawn": 21}
    assert report["mixture"][0] | {"read": 200, "left": 81, "kept": 60} == report["mixture"][0]


def test_rows_that_files_pin_to_the_test_stay_and_leave_their_twins_out(data: Data) -> None:
    data.write("t.jsonl", lines("가", 40))
    settings = data.settings(source("a", rows=500), source("t", part="test"))
    rows = data.rows(settings)
    assert of(rows, "t") == {"test": 40}
    assert of(rows, "a").total() == 500
    fewer = data.rows(data.settings(source("a"), source("t", part="test", rows=15)))
    assert of(fewer, "t") == {"test": 15}


def test_repeated_rows_are_trained_as_often_and_only_those(data: Data) -> None:
    settings = data.settings(source("a"), source("b", rows=900, repeat=True))
    rows, report = data.rows(settings), data.report(settings)
    times = Counter({row["source_row"]: row.get("times", 1) for row in rows if row["where"].startswith("b")})
    assert times.total() == 900 and len(times) == 200
    measured = [row for row in rows if row["part"] != "train"]
    assert measured and not any("times" in row for row in measured)
    trained = {times[row["source_row"]] for row in rows if row["where"].startswith("b") and row["part"] == "train"}
    assert max(trained) - min(trained) == 1
    assert report["mixture"][1]["repeated"] == 700 and report["dropped"] == {}
    samples = Samples.open(data.format(settings) / "train.arrow")
    found = Counter(int(row) for row in samples.source_rows)
    assert found == {row["source_row"]: row.get("times", 1) for row in rows if row["part"] == "train"}
    statistics = artifact.read_json(data.format(settings) / step.STATISTICS)
    assert statistics["parts"]["train"]["samples"] == found.total()


def test_weights_with_repetition_reach_the_largest_source(data: Data) -> None:
    rows = data.rows(data.settings(source("a", weight=1), source("b", weight=1, repeat=True)))
    assert of(rows, "a").total() == 1000
    assert sum(row.get("times", 1) for row in rows if row["where"].startswith("b")) == 1000
    both = data.report(data.settings(source("a", weight=1, repeat=True), source("b", weight=1, repeat=True)))
    assert [found["kept"] + found["repeated"] for found in both["mixture"]] == [1000, 1000]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            [source("a", rows=1001)],
            r"data\.sources\.0 \(a\.jsonl\): rows asks for 1,001, but 1,000 of 1,000 rows are left to draw from after filters, "
            r"duplicates and twins; ask for fewer, or add repeat: true$",
        ),
        (
            [source("a"), source("b", rows=200001, repeat=True)],
            r"data\.sources\.1 \(b\.jsonl\): each of its 1\d\d training rows would come more than 1,000 times",
        ),
        (
            [source("a", weight=1e-6), source("b", weight=1)],
            r"data\.sources\.0 \(a\.jsonl\): weight 1e-06 beside the others gives it less than one row",
        ),
        (
            [source("a", weight=1e300), source("b", weight=1, repeat=True)],
            r"data\.sources\.1 \(b\.jsonl\): weight 1 beside the others gives it less than one row",
        ),
        (
            [source("a", weight=1), source("b", weight=1e300, repeat=True)],
            r"data\.sources\.1 \(b\.jsonl\): each of its 1\d\d training rows would come more than 1,000 times",
        ),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(data: Data, sources: list[Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        data.preprocess(data.settings(*sources))
    assert "\n" not in str(raised.value)


def test_a_weighted_source_whose_rows_all_go_is_named(data: Data) -> None:
    data.write("t.jsonl", lines("나", 200))
    settings = data.settings(source("a", weight=1), source("b", weight=1), source("t", part="test"))
    with pytest.raises(DataError, match=r"data\.sources\.1 \(b\.jsonl\): it has a weight, but 0 of 200 rows are left"):
        data.preprocess(settings)


def test_a_part_that_the_draw_empties_is_told(data: Data) -> None:
    class Heard(Silent):
        notes: list[str] = []
        warnings: list[str] = []

        def note(self, text: str) -> None:
            self.notes.append(text)

        def warn(self, text: str) -> None:
            self.warnings.append(text)

    heard = Heard()
    settings = data.settings(source("a", rows=4))
    data.preprocess(settings, reporter=heard)
    assert data.report(settings)["empty_parts"] == ["validation", "test"]
    assert heard.notes == ["mixture: a.jsonl 4 of 1,000 rows (100%)"]
    assert heard.warnings == ["4 rows are too few for the parts asked for; without rows: validation, test"]


@pytest.mark.parametrize(
    ("sizes", "count", "given"),
    [
        ([900, 50, 50], 500, [450, 25, 25]),
        ([900, 50, 50], 10, [8, 1, 1]),
        ([900, 50, 50], 9, [8, 1, 0]),
        ([7, 2, 1], 10, [7, 2, 1]),
        ([0, 0, 30], 11, [0, 0, 11]),
        ([0, 0, 0], 0, [0, 0, 0]),
        ([998, 1, 1], 100, [98, 1, 1]),
    ],
)
def test_parts_give_by_their_sizes(sizes: list[int], count: int, given: list[int]) -> None:
    assert quotas(sizes, count) == given


def test_a_row_that_comes_again_is_shown_once(data: Data) -> None:
    from dadeum.data.exhibit import Cabinet

    settings = data.settings(source("b", rows=600, repeat=True))
    cabinet = Cabinet("x", settings, SFT, data.preprocess(settings), data.format(settings))
    row = next(row for row in data.rows(settings) if row.get("times", 1) > 2)
    (shown,) = cabinet.row(row["where"]).shown
    assert len(shown.samples) == 1
