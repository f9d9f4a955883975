"""The words and cells of a check, whatever draws them."""

from pathlib import Path

import pytest

from dadeum.cli import check_words as words
from dadeum.data.findings import Report
from tests.data.checks import check, small_measure
from tests.data.small import csv


@pytest.fixture
def report(tmp_path: Path) -> Report:
    (tmp_path / "rows.csv").write_text(csv(60) + "없음,\n", encoding="utf-8")
    return check(tmp_path, "rows.csv", measure=small_measure(tmp_path / "t"), max_length=128)


def test_the_verdict_counts_what_stops(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert words.verdict(report) == "cannot be trained as it is: 1 thing would stop a run"
    (tmp_path / "fine.csv").write_text(csv(60), encoding="utf-8")
    assert words.verdict(check(tmp_path, "fine.csv")) == "can be trained as it is"
    monkeypatch.setenv("DADEUM_LANG", "ko")
    assert words.verdict(report) == "이대로는 학습할 수 없습니다: 실행을 멈출 것이 1가지 있습니다"


def test_rows(report: Report) -> None:
    told = dict(words.row_facts(report.facts))
    assert told["rows"] == "read 61 · usable 60 · faulty 1" and told["encoding"] == "utf-8"


def test_one_file_is_no_table_and_many_are_cut(tmp_path: Path) -> None:
    for number in range(14):
        (tmp_path / f"{number:02}.csv").write_text("question,answer\nq,a\n", encoding="utf-8")
    entries = check(tmp_path, {"type": "csv", "path": "*.csv"}).facts["files"]
    sheet = words.files(entries)
    assert words.files(entries[:1]) is None and sheet is not None
    assert len(sheet.rows) == words.MOST_FILES and sheet.more == 2 and sheet.rows[0][-1] == "00.csv"


def test_bins_hold_every_sample(report: Report) -> None:
    title, bins = words.histogram(report.facts)
    assert title == "tokens a sample"
    assert sum(count for _, count in bins) == report.facts["tokens"]["lengths"]["samples"]
    lengths = words.lengths(report.facts)
    assert lengths is not None and {len(row) for row in lengths.rows} == {len(lengths.columns)} == {7}


def test_where_texts_are_chopped_no_tokens_are_lost(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("긴 글입니다\n" * 30, encoding="utf-8")
    tokens = check(tmp_path, "rows.txt", measure=small_measure(tmp_path / "t")).facts["tokens"]
    assert len(words.limits(tokens).columns) == 5 and "nothing is lost" in words.rule(tokens)


def test_nothing_was_read(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("", encoding="utf-8")
    facts = check(tmp_path, "rows.csv").facts
    assert words.lengths(facts) is None and words.columns(facts["columns"]) is None
