"""`dadeum explain`."""

import json
from pathlib import Path

from tests.run.lab import NAME, cli, files_below, fine


def test_the_screen_the_page_and_the_numbers(written: Path) -> None:
    said = fine(written, "explain", "--json", "out/numbers.json", "--no-trainer").out  # the only experiment
    assert f"Step 2 of {NAME}, taken apart" in said or f"Step 1 of {NAME}, taken apart" in said
    assert "11  The same step by transformers.Trainer" in said and "not asked for (--no-trainer)" in said
    numbers = json.loads((written / "out" / "numbers.json").read_text(encoding="utf-8"))
    assert numbers["loss"]["recomputed"] - numbers["loss"]["loop"] < 1e-6 and numbers["row"]["where"].startswith(
        "rows.csv:"
    )
    row = numbers["row"]["source_row"]
    said = fine(written, "explain", NAME, "--html", "--row", str(row), "--no-trainer", "train.learning_rate=0.002").out
    assert said.splitlines()[-1].strip() == f"written: experiments/{NAME}/explain.html"
    page = (written / "experiments" / NAME / "explain.html").read_text(encoding="utf-8")
    assert f"row {row}" in page and "0.002" in page
    assert [name for name in files_below(written) if name.endswith(".html")] == [f"experiments/{NAME}/explain.html"]


def test_bad_words_are_one_sentence(written: Path) -> None:
    for words, told in (
        ((NAME, "--html=rows.csv"), "--html: found 'rows.csv', expected a file that ends with .html"),
        (
            (NAME, "--step", "99", "--no-trainer"),
            "--step: found 99, expected a number from 1 to 6, the steps of this run",
        ),
        (("nobody",), "nobody: no such experiment (configs/ has: configs/tiny.yaml)"),
    ):
        said = cli(written, "explain", *words)
        assert said.code == 2 and said.errors == [f"error: {told}"], said
