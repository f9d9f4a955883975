"""B18 (offline): in real processes in which every connection is refused and written down, nobody calls out."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.run.lab import FROM_HUB, NAME, FromHub, child, copy, make_workspace, runs_of

# Read by Python before anything else; hooks see what goes past `socket.socket` subclasses too.
SITE = """
import json, os, sys

def watch(event, words):
    inet = event == "socket.connect" and getattr(words[0], "family", None) in (2, 10)
    if inet or event in ("socket.getaddrinfo", "socket.gethostbyname"):
        with open(os.environ["CALLS"], "a", encoding="utf-8") as file:
            file.write(json.dumps([event, repr(words[1:] if inet else words)]) + "\\n")
        raise ConnectionRefusedError("no network in this test")

sys.addaudithook(watch)
"""


class Dead:
    """A machine without a network."""

    def __init__(self, place: Path, cache: Path) -> None:
        place.mkdir()
        (place / "sitecustomize.py").write_text(SITE, encoding="utf-8")
        self.calls_file = place / "calls.jsonl"
        self.environment = {
            "PYTHONPATH": f"{place}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "CALLS": str(self.calls_file),
            "HF_HOME": str(place / "home"),
            "HF_HUB_CACHE": str(cache),
            "HF_ENDPOINT": "https://hub.invalid",
        }

    def run(self, root: Path, *words: str, **more: str) -> subprocess.CompletedProcess[bytes]:
        self.calls_file.unlink(missing_ok=True)
        return child(root, *words, environment={**self.environment, **more})

    def calls(self) -> list[str]:
        if not self.calls_file.exists():
            return []
        return [json.loads(line)[1] for line in self.calls_file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def dead(tmp_path: Path, from_hub: FromHub, monkeypatch: pytest.MonkeyPatch) -> Dead:
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return Dead(tmp_path / "site", from_hub.cache)


def test_the_record_sees_a_call(dead: Dead, tmp_path: Path) -> None:
    """Otherwise an empty record would prove nothing."""
    made = make_workspace(tmp_path / "lab")
    said = dead.run(made, "data", "download", NAME, "tokenizer.name_or_path=someone/absent")
    assert said.returncode == 2 and b"cannot be reached" in said.stderr and b"Traceback" not in said.stderr
    assert any("hub.invalid" in call for call in dead.calls())


@pytest.mark.parametrize("forbidden", ["", pytest.param("1", marks=pytest.mark.slow)])
def test_a_training_from_the_cache_asks_nobody(dead: Dead, from_hub: FromHub, tmp_path: Path, forbidden: str) -> None:
    """Training, scores, comparison, merge; then an answer of the tuned model on its base from the cache."""
    root = copy(from_hub.root, tmp_path / "lab")
    # Another seed makes everything after the data again; the base's weights come from the cache.
    said = dead.run(root, "run", NAME, *FROM_HUB, "train.seed=7", HF_HUB_OFFLINE=forbidden)
    assert said.returncode == 0, said.stderr.decode()
    assert len(runs_of(root)) == 2 and dead.calls() == []
    said = dead.run(root, "ask", "3번 질문은?", "--max-new-tokens", "3", HF_HUB_OFFLINE=forbidden)
    assert said.returncode == 0 and said.stdout and dead.calls() == [], said.stderr.decode()


@pytest.mark.slow
def test_a_local_experiment_asks_nobody(dead: Dead, tmp_path: Path) -> None:
    """Fresh weights and rows of a file, and then a folder as the base."""
    root = make_workspace(tmp_path / "lab")
    said = dead.run(root, "train", NAME)
    assert said.returncode == 0 and dead.calls() == [], said.stderr.decode()
    (base,) = (root / "checkpoints" / NAME).glob("base-*")
    words = (f"model={{name_or_path: {base.relative_to(root)}}}", "tokenizer={}")
    said = dead.run(root, "data", "download", NAME, *words)
    assert said.returncode == 0 and dead.calls() == [], said.stderr.decode()
    said = dead.run(root, "plan", NAME, *words)
    assert said.returncode == 0 and dead.calls() == [], said.stderr.decode()


@pytest.mark.parametrize("forbidden", ["", "1"])
def test_asked_to_download_it_uses_what_is_there(dead: Dead, from_hub: FromHub, tmp_path: Path, forbidden: str) -> None:
    root = copy(from_hub.root, tmp_path / "lab")
    said = dead.run(root, "data", "download", NAME, *FROM_HUB, HF_HUB_OFFLINE=forbidden)
    assert said.returncode == 0, said.stderr.decode()
    told = (said.stdout + said.stderr).decode()
    if forbidden:
        assert dead.calls() == []
    else:
        assert 1 <= len(dead.calls()) <= 4, "model and tokenizer: a question each, tried again once"
        assert "cannot be reached" in told and "using the copy of" in told
        said = dead.run(root, "ask", "hi", "-m", "someone/base", "--max-new-tokens", "1")
        assert said.returncode == 0 and b"using the copy of" in said.stderr and b"Traceback" not in said.stderr
