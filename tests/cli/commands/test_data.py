"""`dadeum data download|preprocess|format|show`."""

import json
from pathlib import Path

import pytest

from tests.run.lab import NAME, child, cli, files_below, fine, stale

# Runs dadeum, then prints which packages are there.
AS_PROGRAM = """
import json, runpy, sys
sys.argv = ["dadeum", *sys.argv[1:]]
try:
    runpy.run_module("dadeum", run_name="__main__")
except SystemExit as left:
    assert left.code == 0, left.code
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def test_one_stage_after_the_other(written: Path) -> None:
    assert "✓ download" in fine(written, "data", "download", NAME).out and not (written / "data").exists()
    said = fine(written, "data", "preprocess", NAME).out
    assert "▶ preprocess" in said and "▶ format" not in said and stale(written)[0] == "format"
    (folder,) = (written / "data" / "processed").iterdir()
    assert (folder / "processed_conversations.json").is_file() and "60" in said
    said = fine(written, "data", "format", NAME).out
    assert "▶ preprocess" not in said and "▶ format" in said
    assert stale(written)[0] == "initialise"


def test_an_unknown_stage(written: Path) -> None:
    said = cli(written, "data", "frmat", NAME)
    assert said.code == 2 and len(said.errors) == 1 and "frmat" in said.err


def test_show_makes_what_is_missing_and_imports_no_torch(written: Path) -> None:
    done = child(written, "data", "show", NAME, program=("-c", AS_PROGRAM))
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode()
    assert "✓ format" in said and "shown: 3 of 48 rows" in said
    assert "{+trained+}" in said and said.count("«<|im_end|>»+}") >= 3
    assert "\x1b" not in said  # no colours on a pipe
    imported = set(json.loads(done.stderr.decode().splitlines()[-1]))
    assert "tokenizers" in imported and not imported & {"torch", "datasets", "pandas"}
    assert not (written / "checkpoints").exists()


def test_show_one_row_of_any_part(written: Path) -> None:
    said = fine(written, "data", "show", NAME, "--row", "rows.csv:9", "--no-ids").out
    assert "(row 7, asked for)" in said and "{+7번의 답은 49입니다.«<|im_end|>»+}" in said
    assert said.count("7번 질문은") == 1
    told = cli(written, "data", "show", NAME, "--row", "60")
    assert told.code == 2 and told.errors == [
        "error: --row: found '60', expected a number from 0 to 59, or a place such as rows.csv:2"
    ]


def test_show_other_parts_and_settings(written: Path) -> None:
    said = fine(written, "data", "show", NAME, "-n", "2", "--part", "test", "data.max_length=256").out
    assert "2 of 6 rows" in said and "256 tokens" in said and "{+measured+}" in said
    assert cli(written, "data", "show", NAME, "--part", "tset").code == 2
    assert cli(written, "data", "show", NAME, "-n", "0").code == 2


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ((NAME, "--html"), f"experiments/{NAME}/samples-train.html"),
        ((NAME, "--html", "data.max_length=120"), f"experiments/{NAME}/samples-train.html"),
        (("--html", "-n", "1", "--part", "validation", NAME), f"experiments/{NAME}/samples-validation.html"),
        ((NAME, "--row", "5", "--html"), f"experiments/{NAME}/samples-row-5.html"),
        ((NAME, "--html", "pages/look.html"), "pages/look.html"),
        (("--html=look.HTML", NAME), "look.HTML"),
    ],
)
def test_show_writes_a_page(written: Path, words: tuple[str, ...], file: str) -> None:
    said = fine(written, "data", "show", *words).out
    assert said.splitlines()[-1].strip() == f"written: {file}"
    pages = [name for name in files_below(written) if name.lower().endswith(".html")]
    assert pages == [file]
    assert (written / file).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_show_refuses_to_write_what_is_no_page(written: Path) -> None:
    said = cli(written, "data", "show", NAME, "--html=rows.csv")
    assert said.errors == ["error: --html: found 'rows.csv', expected a file that ends with .html"]
    assert said.code == 2 and not (written / "data").exists()


def test_show_after_a_run_leaves_it_fresh(ran: Path) -> None:
    fine(ran, "data", "show", NAME, "--html")
    assert stale(ran) == []
