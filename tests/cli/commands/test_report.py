"""`dadeum report`: says where the page is; what cannot be done is one sentence and exit code 2."""

from pathlib import Path

from tests.run.lab import NAME, cli, fine, runs_of


def test_the_last_run_and_any_file(ran: Path) -> None:
    run = runs_of(ran)[-1]
    (run.evidence / "report.html").unlink()
    said = fine(ran, "report")
    assert said.out.strip() == f"written: experiments/{NAME}/{run.name}/report.html"
    assert fine(ran, "report", run.name, "--to", "docs/a.md").out.strip() == "written: docs/a.md"
    assert (ran / "docs" / "a.md").read_text(encoding="utf-8").startswith(f"# What {NAME} has learnt")


def test_what_cannot_be_done(ran: Path) -> None:
    (ran / "configs.html").mkdir()
    for words, reason in (
        (("tini",), "no such run or experiment"),
        ((NAME, "--to", "a.pdf"), "expected a file that ends with .html or .md"),
        ((NAME, "--to", "rows.csv/a.html"), "cannot be written"),
        ((NAME, "--to", "configs.html"), "is a folder"),
    ):
        said = cli(ran, "report", *words)
        assert said.code == 2 and len(said.errors) == 1 and reason in said.errors[0]


def test_a_workspace_without_runs(written: Path) -> None:
    said = cli(written, "report")
    assert said.code == 2 and len(said.errors) == 1
