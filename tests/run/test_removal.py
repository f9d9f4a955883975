"""dadeum.run.removal: runs go whole, and nothing else goes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError
from dadeum.core.lock import locked
from dadeum.core.workspace import Workspace
from dadeum.run.ledger import run_folders
from dadeum.run.removal import GOING, heir, published, remove, settle
from dadeum.run.store import publish
from tests.run.lab import NAME, child_environment, copy, files_below, fine, runs_of
from tests.run.several import LATER, another


def test_its_weights_and_evidence_and_nothing_else(ran: Path) -> None:
    first, run = runs_of(ran)[0], another(ran, LATER)
    kept = {n: b for n, b in files_below(ran).items() if LATER not in n}
    remove(Workspace(ran), run)
    assert files_below(ran) == kept and run_folders(Workspace(ran)) == [first]


def test_the_published_model_is_then_the_next_newest(ran: Path) -> None:
    first, run = runs_of(ran)[0], another(ran, LATER)
    (run.final / "chat_template.jinja").write_text("other", encoding="utf-8")
    publish(run)
    assert published(Workspace(ran), NAME) == LATER and heir(Workspace(ran), run, set()) == first
    remove(Workspace(ran), run)
    assert published(Workspace(ran), NAME) == first.name
    own = (first.final / "chat_template.jinja").read_bytes()
    assert (ran / "checkpoints" / NAME / "chat_template.jinja").read_bytes() == own != b"other"


def test_without_another_no_model_of_the_name_stays(ran: Path) -> None:
    mine = ran / "checkpoints" / NAME / "mine.txt"
    mine.write_text("of the user", encoding="utf-8")
    remove(Workspace(ran), runs_of(ran)[0])
    left = [f for f in (ran / "checkpoints" / NAME).iterdir() if f.is_file()]
    assert left == [mine] and published(Workspace(ran), NAME) is None
    fine(ran, "runs", "list")


def test_a_list_of_published_files_leads_nowhere_else(ran: Path) -> None:
    victim = ran / "rows.csv"
    listed = ran / "checkpoints" / NAME / ".published.json"
    found = json.loads(listed.read_text(encoding="utf-8"))
    listed.write_text(json.dumps(found | {"files": ["../../rows.csv", str(victim), 7]}), encoding="utf-8")
    remove(Workspace(ran), runs_of(ran)[0])
    assert victim.is_file()


def test_a_run_that_is_being_written_is_refused(ran: Path) -> None:
    run = runs_of(ran)[0]
    with locked(run.evidence):
        before = files_below(ran)
        with pytest.raises(ArtifactError, match=f"in use by process {os.getpid()}"):
            remove(Workspace(ran), run)
        assert files_below(ran) == before


def test_damaged_runs_go_too(ran: Path) -> None:
    import shutil

    run, orphan = another(ran, LATER), another(ran, "20991231-235959-abcdef")
    (run.evidence / "manifest.json").write_bytes(b"\0")
    shutil.rmtree(orphan.evidence)
    remove(Workspace(ran), run)
    remove(Workspace(ran), orphan)
    assert run_folders(Workspace(ran)) == runs_of(ran) and len(runs_of(ran)) == 1
    assert not list(ran.rglob(f"{GOING}*"))


@pytest.mark.parametrize("place", ["checkpoints", "checkpoints/tiny", "experiments/tiny", "run"])
def test_nothing_behind_a_link_is_removed(ran: Path, tmp_path: Path, place: str) -> None:
    run = runs_of(ran)[0]
    link = run.checkpoints if place == "run" else ran / place
    elsewhere = tmp_path / "elsewhere"
    link.rename(elsewhere)
    link.symlink_to(elsewhere)
    before = files_below(elsewhere)
    with pytest.raises(ArtifactError, match="is a link"):
        remove(Workspace(ran), run)
    assert files_below(elsewhere) == before and (run.evidence / "manifest.json").is_file()


def test_links_inside_are_removed_not_followed(ran: Path, tmp_path: Path) -> None:
    run = another(ran, LATER)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x", encoding="utf-8")
    (run.checkpoints / "link").symlink_to(outside)
    remove(Workspace(ran), run)
    assert (outside / "precious").is_file() and not run.checkpoints.exists()


PROGRAM = """
import sys
from pathlib import Path
from dadeum.core.workspace import Workspace
from dadeum.run.ledger import find_run
from dadeum.run.removal import remove
workspace = Workspace(Path.cwd())
remove(workspace, find_run(workspace, sys.argv[1]))
"""


@pytest.mark.parametrize("point", ["runs.removed", "runs.both_aside", "runs.published"])
def test_killed_anywhere_it_is_gone_and_the_rest_is_cleared_later(ran: Path, point: str) -> None:
    first, run = runs_of(ran)[0], another(ran, LATER)
    publish(run)
    expected = copy(ran, ran.parent / "expected")
    remove(Workspace(expected), runs_of(expected)[-1])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, LATER],
        cwd=ran,
        env=child_environment({"DADEUM_FAULT_POINT": point}),
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert runs_of(ran) == [first]
    settle(Workspace(ran), NAME)
    assert files_below(ran) == files_below(expected)
    assert run_folders(Workspace(ran)) == [first]
