"""`dadeum data check`: exit codes, files, experiments, tokenizers."""

import json
from pathlib import Path

import pytest

from tests.cli.commands.test_data import AS_PROGRAM
from tests.data.small import csv
from tests.run.lab import NAME, child, cli, files_below, fine


def test_a_file_that_can_be_trained(written: Path) -> None:
    before = files_below(written)
    said = fine(written, "data", "check", "rows.csv").out
    assert "✓ can be trained as it is" in said and "read 60 · usable 60 · faulty 0" in said
    assert "--tokenizer NAME|FOLDER" in said and files_below(written) == before


def test_what_would_stop_a_run_is_exit_code_1(written: Path) -> None:
    (written / "rows.csv").write_text(csv(20) + "없음,\n", encoding="utf-8")
    said = cli(written, "data", "check", "rows.csv")
    assert said.code == 1 and not said.errors and "stops: 1 of 21 rows cannot be used (no answer)" in said.out
    dropped = cli(written, "data", "check", "rows.csv", "data.faulty_rows=drop")
    assert dropped.code == 0 and "warning: 1 of 21 rows" in dropped.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("row.csv",), "no such file; did you mean 'rows.csv'"),
        (("tinny",), "no such experiment"),
        (("configs",), "holds no"),
        (("rows.csv", "--tokenizer", "nobody"), "nobody"),
        (("rows.csv", "data.max_lengths=9"), "data.max_lengths"),
        ((), "FILE|EXPERIMENT"),
    ],
)
def test_bad_usage_is_exit_code_2(written: Path, words: tuple[str, ...], told: str) -> None:
    said = cli(written, "data", "check", *words)
    assert said.code == 2 and len(said.errors) == 1 and told in said.err


def test_a_mixture_is_told(written: Path) -> None:
    said = fine(written, "data", "check", "rows.csv", "data.sources.0.rows=20").out
    assert "not drawn 40" in said and "rows.csv 20 of 60 rows (100%)" in said
    too_many = cli(written, "data", "check", "rows.csv", "data.sources.0.rows=61")
    assert too_many.code == 1 and "rows asks for 61, but 60 of 60 rows are left" in too_many.out


def test_an_experiment_brings_its_tokenizer(written: Path) -> None:
    before = files_below(written)
    said = fine(written, "data", "check", NAME).out
    assert "a Korean letter" in said and "▸ 128" in said and "parts" in said
    assert files_below(written) == before  # nothing is made
    stops = cli(written, "data", "check", NAME, "data.max_length=16")
    assert stops.code == 1 and "samples are longer than data.max_length=16" in stops.out


def test_the_check_says_what_the_run_says(written: Path) -> None:
    """Both stop, or neither does."""
    for text in (csv(30), csv(30) + "없음,\n", "물음,대답\nㄱ,ㄴ\n", "text,label\n좋다,1\n", ""):
        (written / "rows.csv").write_text(text, encoding="utf-8")
        checked, ran = cli(written, "data", "check", NAME), cli(written, "data", "format", NAME)
        assert (checked.code, ran.code) in {(0, 0), (1, 2)}, text


def test_a_tokenizer_by_its_folder(written: Path) -> None:
    said = fine(written, "data", "check", "rows.csv", "--tokenizer", "tokenizer").out
    assert "tokens a sample" in said and "tokenizer        tokenizer" in said


def test_an_experiment_without_its_tokenizer(written: Path) -> None:
    said = cli(written, "data", "check", NAME, "tokenizer.name_or_path=./gone")
    assert said.code == 1 and "no such folder" in said.out and "usable 60" in said.out


def test_all_figures_as_json(written: Path) -> None:
    said = fine(written, "data", "check", NAME, "--json", "out/figures.json")
    assert said.out.splitlines()[-1].strip() == "written: out/figures.json"
    found = json.loads((written / "out" / "figures.json").read_text(encoding="utf-8"))
    assert found["data"] == NAME and found["trainable"] is True and found["rows"]["usable"] == 60
    assert found["tokens"]["epoch"]["samples"] == found["parts"]["train"] == 48
    assert [column["name"] for column in found["columns"]] == ["question", "answer"]


def test_no_torch(written: Path) -> None:
    done = child(written, "data", "check", NAME, program=("-c", AS_PROGRAM))
    assert done.returncode == 0, done.stderr
    imported = set(json.loads(done.stderr.decode().splitlines()[-1]))
    assert "tokenizers" in imported and not imported & {"torch", "datasets", "pandas"}


def test_in_korean(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    (written / "rows.csv").write_text("물음,대답\nㄱ,ㄴ\n", encoding="utf-8")
    said = cli(written, "data", "check", "rows.csv")
    assert said.code == 1 and "이대로는 학습할 수 없습니다" in said.out and "멈춤: rows.csv: 열 물음, 대답" in said.out


def test_a_page(written: Path) -> None:
    said = fine(written, "data", "check", NAME, "--html", "out/check.html")
    assert said.out.splitlines()[-1].strip() == "written: out/check.html"
    text = (written / "out" / "check.html").read_text(encoding="utf-8")
    assert f"Data check: {NAME}" in text and "<svg" in text and "tokens a sample" in text


def test_a_page_of_data_that_would_stop_a_run(written: Path) -> None:
    (written / "rows.csv").write_text(csv(20) + "없음,\n", encoding="utf-8")
    said = cli(written, "data", "check", "rows.csv", "--html", "check.html")
    assert said.code == 1 and "no answer" in (written / "check.html").read_text(encoding="utf-8")


def test_a_page_is_an_html_file(written: Path) -> None:
    said = cli(written, "data", "check", "rows.csv", "--html", "check.txt")
    assert said.code == 2 and "expected a file that ends with .html" in said.err
