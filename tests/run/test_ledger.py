"""dadeum.run.ledger: every run of a workspace, whole or not, and what RUN means."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.core.lock import locked
from dadeum.core.workspace import Workspace
from dadeum.run.ledger import entries, find_run, metric_lines, run_folders
from tests.run.lab import NAME, runs_of
from tests.run.several import LAST, LATER, another


def test_facts_of_a_run(done: Path) -> None:
    (entry,) = entries(Workspace(done))
    stats = json.loads((entry.run.evidence / "training_stats.json").read_text(encoding="utf-8"))
    assert entry.status == "finished" and entry.reason == ""
    assert entry.facts["steps"] == stats["optimizer_steps"] and entry.facts["loss"] == stats["final_loss"]
    assert entry.facts["adapter"] == "lora r4" and entry.facts["base"] == "random llama" and entry.facts["seed"] == 42
    assert set(entry.scores) >= {"perplexity", "bits_per_byte", "chrf", "exact_match"}
    assert json.loads(json.dumps(entry.as_json()))["run"] == entry.run.name


def test_the_measurements_of_a_run_that_ended_are_not_read_for_a_list(
    done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dadeum.run.ledger.metric_lines", lambda run: pytest.fail("a million lines"))
    (entry,) = entries(Workspace(done))
    assert entry.facts["steps"] == 6 and entry.facts["loss"] > 0


def test_what_lies_beside_runs_is_none(ran: Path) -> None:
    (ran / "experiments" / "inference_20260101.log").touch()
    (ran / "experiments" / "comparisons" / "20260101_000000").mkdir(parents=True)
    (ran / "experiments" / NAME / ".removing-x").mkdir()
    assert len(run_folders(Workspace(ran))) == 1


DAMAGES = {
    "record of zeros": ("manifest.json", b"\0" * 40, "manifest.json: cannot be read"),
    "record cut short": ("manifest.json", b'{"status": "fin', "manifest.json: cannot be read"),
    "record is a list": ("manifest.json", b"[]", "manifest.json: is no JSON object"),
    "record of something else": ("manifest.json", b'{"status": 7, "stages": []}', "is no record of a run"),
    "record absent": ("manifest.json", None, "manifest.json: absent"),
    "statistics cut short": ("training_stats.json", b"{", "training_stats.json: cannot be read"),
    "deep JSON": ("training_stats.json", b"[" * 100_000, "training_stats.json: cannot be read"),
    "scores without values": (
        "evaluation/finetuned_model_evaluation.json",
        b'{"metrics": {"chrf": {}}}',
        "chrf has no value",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_runs_are_told_and_others_still_listed(ran: Path, name: str) -> None:
    file, raw, said = DAMAGES[name]
    run = another(ran, LATER)
    if raw is None:
        (run.evidence / file).unlink()
    else:
        (run.evidence / file).write_bytes(raw)
    whole, damaged = entries(Workspace(ran))
    assert whole.status == "finished"
    assert damaged.run.name == LATER and damaged.status == "damaged" and said in damaged.reason


def test_weights_or_evidence_that_are_gone(ran: Path) -> None:
    import shutil

    gone, orphan = another(ran, LATER), another(ran, LAST)
    shutil.rmtree(gone.checkpoints)
    shutil.rmtree(orphan.evidence)
    _, first, second = entries(Workspace(ran))
    assert (first.status, second.status) == ("damaged", "damaged")
    assert "final/" in first.reason and "absent" in second.reason


def test_a_run_without_statistics_is_read_from_its_own_settings(ran: Path) -> None:
    run = another(ran, LATER, status="failed", reason="no room")
    (run.evidence / "training_stats.json").unlink()
    entry = entries(Workspace(ran))[-1]
    assert (entry.status, entry.reason) == ("failed", "no room")
    assert entry.facts["adapter"] == "lora r4" and entry.facts["steps"] == 6  # of config.yaml and metrics.jsonl
    (run.evidence / "config.yaml").write_bytes(b"\xff\xfe\x00")
    assert entries(Workspace(ran))[-1].status == "damaged"


def test_started_is_running_while_a_process_has_it(ran: Path) -> None:
    run = another(ran, LATER, status="started")
    assert (entries(Workspace(ran))[-1].status, bool(entries(Workspace(ran))[-1].reason)) == ("started", True)
    with locked(run.evidence):
        assert entries(Workspace(ran))[-1].status == "running"


def test_lines_that_are_none_are_left_out(ran: Path) -> None:
    run = another(ran, LATER)
    with (run.evidence / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": "x"}\n[]\n{"step": 9, "lo')
    assert metric_lines(run) == metric_lines(runs_of(ran)[0])


def test_what_run_means(ran: Path) -> None:
    workspace = Workspace(ran)
    first, later = runs_of(ran)[0], another(ran, LATER)
    other = another(ran, LAST, experiment="second")
    for text, run in {
        first.name: first,
        first.name[:11]: first,
        f"{NAME}/{LATER}": later,
        f"experiments/{NAME}/{LATER}/": later,
        str(later.checkpoints): later,
        NAME: later,
        f"configs/{NAME}.yaml": later,
        "second": other,
        None: other,
    }.items():
        assert find_run(workspace, text) == run, text
    with pytest.raises(ArtifactError, match=r"2 runs begin so \(tiny/20991231-235958-abcdef, second/"):
        find_run(workspace, "2099")
    with pytest.raises(ArtifactError, match=r"secnd: no such run or experiment; did you mean 'second'"):
        find_run(workspace, "secnd")


def test_finished_runs_only(ran: Path) -> None:
    (another(ran, LATER, status="failed").final / "manifest.json").unlink()
    assert find_run(Workspace(ran), NAME).name == LATER
    assert find_run(Workspace(ran), NAME, finished=True) == runs_of(ran)[0]
    assert find_run(Workspace(ran), None, finished=True) == runs_of(ran)[0]
    (runs_of(ran)[0].final / "manifest.json").unlink()
    with pytest.raises(ArtifactError, match="no run is finished yet"):
        find_run(Workspace(ran), None, finished=True)


def test_an_empty_workspace(tmp_path: Path) -> None:
    assert entries(Workspace(tmp_path)) == []
    with pytest.raises(ArtifactError, match="no run in this workspace yet"):
        find_run(Workspace(tmp_path), None)
