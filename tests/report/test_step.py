"""The stage: any evidence becomes a page; a file that is not to be written is one sentence."""

from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.report import step
from tests.report.made_up import comparison, metric, run, whole


def test_a_page_and_a_text_with_its_pictures(tmp_path: Path) -> None:
    made = step.make(whole(tmp_path / "lab"))
    assert made.damaged == () and made.verdict.mark == "yes"
    assert step.write(made, tmp_path / "new" / "a.HTML").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (
        step.write(made, tmp_path / "docs" / "결과.md").read_text(encoding="utf-8").startswith("# What 실험 has learnt")
    )
    assert (tmp_path / "docs" / "결과_pictures" / "loss.svg").is_file()


@pytest.mark.parametrize("status", ["failed", "stopped", "started", "unheard of"])
def test_a_run_of_which_nothing_came(tmp_path: Path, status: str) -> None:
    made = step.make(run(tmp_path, known=False, status=status, reason="it broke"))
    assert step.write(made, tmp_path / "a.html").is_file()
    told = [block for section in made.sections for block in section.blocks]
    assert made.damaged == () and len(told) >= 6


def test_a_section_that_cannot_be_made_is_told_and_the_others_are_there(tmp_path: Path) -> None:
    row = metric("rougeL", 0.3, 0.5)
    del row["intervals"], row["values"]
    made = step.make(whole(tmp_path, **{"evaluation/comparison.json": comparison(row)}))
    assert len(made.damaged) == 2 and "'the scores' cannot be shown" in made.damaged[1]
    assert made.verdict.mark == "open" and {"Training", "Do it again"} <= {section.title for section in made.sections}


def test_every_file_damaged_at_once(tmp_path: Path) -> None:
    place = whole(tmp_path)
    for path in place.evidence.rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            path.write_bytes(b"\x00\xff{[")
    made = step.make(place)
    assert len(made.damaged) == 6 and step.write(made, tmp_path / "a.html").is_file()


def test_what_the_run_is_about_to_be(tmp_path: Path) -> None:
    assert step.make(run(tmp_path, status="started"), status="failed").verdict.mark == "no"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.txt", "found '.txt', expected a file that ends with .html or .md"),
        ("docs", "found 'docs', expected a file"),
        ("folder.html", "is a folder, expected a file"),
        ("file/a.html", "cannot be written"),
        ("x" * 300 + ".md", "cannot be written"),
    ],
)
def test_a_file_that_is_not_to_be_written(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    made = step.make(run(tmp_path / "lab"))
    with pytest.raises(ArtifactError, match=reason):
        step.write(made, tmp_path / name)
