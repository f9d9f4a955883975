"""The report of real runs: the last step of a run, any run again, and a fault in it that fails nothing."""

import json
import re
from pathlib import Path

import pytest

from dadeum.config.load import load
from dadeum.core.artifact import read_json
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.report.blocks import Figure, Page
from dadeum.report.step import make
from dadeum.run.purpose import purpose_of
from dadeum.run.report import place_of, report_named, report_of
from tests.run.lab import NAME, cli, fine, inside, runs_of, stale
from tests.run.test_heads import SMALL, films


class Told(Silent):
    """Keeps what it is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def test_a_run_ends_with_its_report(done: Path) -> None:
    run = runs_of(done)[-1]
    text = (run.evidence / "report.html").read_text(encoding="utf-8")
    assert "finished" in text and "This run has not ended" not in text
    assert run.record()["stages"]["report"]["files"]
    made = make(place_of(run, Workspace(done)))
    assert made.damaged == ()
    blocks = [block for section in made.sections for block in section.blocks]
    figures = {block.name for block in blocks if isinstance(block, Figure)}
    assert {"lengths", "targets", "loss", "learning_rate", "memory", "scores", "moved"} <= figures
    (painted,) = (block.html for block in blocks if isinstance(block, Page))
    assert 'class="k t"' in painted and "의 답은" in re.sub("<small>.*?</small>|<[^>]*>", "", painted)


def test_made_again_it_is_as_fresh_as_it_was(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    before = (runs_of(ran)[-1].evidence / "report.html").read_bytes()
    with inside(ran):
        assert report_named(None, None).read_bytes() != before
    assert stale(ran) == []
    with inside(ran):
        written = report_named(NAME, Path("docs/result.md"))
    assert written.is_file() and (ran / "docs" / "result_pictures" / "loss.svg").is_file() and stale(ran) == []


def test_a_fault_in_it_is_one_warning_and_tried_again(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs_of(ran)[-1]
    page = run.evidence / "report.html"
    page.unlink()
    told = Told()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no ink")

    with monkeypatch.context() as patched:
        patched.setattr("dadeum.report.step.make", broken)
        assert report_of(run, Workspace(ran), told) == []
        assert told.warnings == [
            f"no report was written (RuntimeError: no ink); the run itself is whole. `dadeum report {run.name}` tries again"
        ]
        said = fine(ran, "run", NAME)
        assert "no ink" in said.out + said.err and not page.exists()
    assert run.record()["status"] == "finished" and stale(ran) == ["report"]
    log = "".join(path.read_text(encoding="utf-8") for path in run.evidence.glob("run_*.log"))
    assert "Traceback" in log and "no ink" in log
    fine(ran, "run", NAME)
    assert page.is_file() and stale(ran) == []


def test_a_run_without_its_data_its_settings_and_its_scores(ran: Path) -> None:
    run = runs_of(ran)[-1]
    (run.evidence / "config.yaml").write_text("name: [", encoding="utf-8")
    (run.evaluation / "comparison.json").unlink()
    record = read_json(run.evidence / "manifest.json")
    (run.evidence / "manifest.json").write_text(
        json.dumps({**record, "formatted": "data/processed/gone"}), encoding="utf-8"
    )
    made = make(place_of(run, Workspace(ran)))
    assert len(made.damaged) == 1 and made.damaged[0].startswith("config.yaml: ")
    assert "Trained, and not measured" in made.verdict.sentences[0]


def test_the_config_of_a_run_with_a_head_is_read_back(written: Path) -> None:
    """Settings that stand for what the head has are not asked for when the file is read again."""
    (written / "films.tsv").write_text(films(60), encoding="utf-8")
    head = ("head={type: sequence_classification, labels: [bad, good]}", "evaluate={limit: null}")
    rows = (
        "data={sources: [{type: csv, path: films.tsv}], columns: {text: document}, max_length: 128, split: {test: 0.2}}"
    )
    fine(written, "run", NAME, *SMALL, *head, rows)
    run = runs_of(written)[-1]
    settings = load(run.evidence / "config.yaml", root=written).experiment
    assert purpose_of(settings).targets
    made = make(place_of(run, Workspace(written)))
    assert made.damaged == ()
    assert {"Which labels were said of which", "What is trained of it"} <= {section.title for section in made.sections}
    assert "guessing from the label counts" in made.verdict.sentences[0]
    assert cli(written, "plan", str(run.evidence / "config.yaml")).code == 0


def test_damaged_runs_are_one_sentence(ran: Path) -> None:
    run = runs_of(ran)[-1]
    (run.evidence / "manifest.json").write_text("{", encoding="utf-8")
    said = cli(ran, "report", run.name)
    assert said.code == 2 and len(said.errors) == 1 and "manifest.json" in said.errors[0]
