"""C10: no byte of a secret in anything that dadeum writes, shows, sends or starts: files, logs, trackers, pages, arguments."""

import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dadeum.core import secrets
from dadeum.run import works
from dadeum.track import senders
from dadeum.track.senders import Senders
from tests.run.lab import NAME, Said, cli, copy, fine, make_workspace, runs_of
from tests.track.support import words_of

CANARY = "canary"
ENVIRONMENT = {
    "HF_TOKEN": "hf_canaryAAAABBBBCCCC0001",
    "OPENAI_API_KEY": "sk-canary-in-the-environment-2",
    "MLFLOW_TRACKING_PASSWORD": "canary/password+3",
    "AWS_SECRET_ACCESS_KEY": "canary-of-aws-4",
    "HTTPS_PROXY": "http://somebody:canary-of-the-proxy-5@127.0.0.1:9",
}
ENV_FILE = "WANDB_API_KEY=canary0123456789012345678901234567890123\nJUDGE_API_KEY=canary-of-the-file-7\n"
TRACK = "track=[mlflow, tensorboard, {type: wandb, mode: offline}]"
# Notes each port that any process opens that is started.
WATCH = """
import os, socket, sys
listen = socket.socket.listen
def noted(self, *words):
    if self.family != socket.AF_UNIX:
        with open(os.environ["CANARY_PORTS"], "a", encoding="utf-8") as file:
            file.write(f"{sys.argv} {self.getsockname()}\\n")
    return listen(self, *words)
socket.socket.listen = noted
"""


@dataclass
class Lab:
    """A workspace after a run that was tracked, and one that ended in a fault; all that was shown and started."""

    root: Path
    whole: bool
    said: list[Said] = field(default_factory=list)
    arguments: list[bytes] = field(default_factory=list)
    ports: str = ""


@pytest.fixture(scope="module", params=["quick", pytest.param("whole", marks=pytest.mark.slow)])
def lab(request: pytest.FixtureRequest, done: Path, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Quick: of a finished run everything is sent, and a new one begun. Whole: everything is also made, and for W&B."""
    place, whole = tmp_path_factory.mktemp("c10"), request.param == "whole"
    made = Lab(make_workspace(place / "lab") if whole else copy(done, place / "lab"), whole)
    track = TRACK if whole else "track=[mlflow, tensorboard]"
    (made.root / ".env").write_text(ENV_FILE, encoding="utf-8")
    (place / "sitecustomize.py").write_text(WATCH, encoding="utf-8")

    class Watched(Senders):
        def start(self) -> None:
            super().start()
            made.arguments += [words_of(child.pid) for child in self.children.values()]

    def fault(*words: object) -> list[Path]:
        spoken = " and ".join(f"{name} {value}" for name, value in ENVIRONMENT.items())
        raise RuntimeError(f"401 for hf_canaryZZZZYYYYXXXX9999 at https://me:canary-word@hub.example/?{spoken}")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(secrets, "_learnt", {})
        for name in ("WANDB_API_KEY", "JUDGE_API_KEY"):
            patched.setenv(name, "")  # taken out again after `.env` put it there
            patched.delenv(name)
        for name, value in {**ENVIRONMENT, "CANARY_PORTS": str(place / "ports"), "PYTHONPATH": str(place)}.items():
            patched.setenv(name, value)
        patched.setattr(senders, "WAIT", 600.0)
        patched.setattr(senders, "Senders", Watched)
        made.said.append(fine(made.root, "run", NAME, track))
        patched.setattr(works, "_train", fault)
        made.said.append(cli(made.root, "run", NAME, "track=[tensorboard]", "train.seed=7"))
        made.said.append(cli(made.root, "train", NAME, "train.hf_token=canary-as-a-setting"))
        made.said.append(cli(made.root, "train", NAME, f"model.name_or_path=https://u:{ENVIRONMENT['HF_TOKEN']}@h/a/b"))
        made.said.append(fine(made.root, "track", "status"))
    made.ports = (place / "ports").read_text(encoding="utf-8") if (place / "ports").is_file() else ""
    return made


def spellings() -> list[bytes]:
    """Each canary as it stands, and as a URL or a header would hold it."""
    from base64 import b64encode
    from urllib.parse import quote

    values = [*ENVIRONMENT.values(), "canary-of-the-proxy-5", *(line.partition("=")[2] for line in ENV_FILE.split())]
    return [CANARY.encode(), *(quote(v, safe="").encode() for v in values), *(b64encode(v.encode()) for v in values)]


def test_there_is_none_in_any_file(lab: Lab) -> None:
    files = [f for f in lab.root.rglob("*") if f.is_file() and not f.is_symlink() and f.name != ".env"]
    names = {f.name for f in files}
    assert {"mlflow.db", "metrics.jsonl", "config.yaml", "manifest.json", "comparison.md", "mlflow.json"} <= names
    assert any("tfevents" in name for name in names) and any(name.endswith(".wandb") for name in names) == lab.whole
    found = {f.relative_to(lab.root).as_posix(): word for f in files for word in spellings() if word in f.read_bytes()}
    assert found == {}


def test_there_is_none_on_the_screen_or_in_arguments(lab: Lab) -> None:
    run, broken, unknown, address, status = lab.said
    assert all(CANARY not in said.out + said.err for said in lab.said)
    assert broken.code == 1 and "Traceback" in broken.err and "RuntimeError: 401 for <redacted>" in broken.err
    assert unknown.code == 2 and "train.hf_token: found an unknown key" in unknown.err
    assert address.code == 2 and "model.name_or_path: found the value of HF_TOKEN" in address.err
    assert "finished" in status.out and "failed" in status.out and "lacks" not in run.out
    arguments = [words for words in lab.arguments if words]  # a child that has left has none
    assert len(arguments) >= 3 and all(
        b"dadeum.track.sender" in words and b"canary" not in words for words in arguments
    )


def test_the_fault_is_told_where_it_belongs_with_what_can_be_told(lab: Lab) -> None:
    run = runs_of(lab.root)[-1]
    assert run.record()["status"] == "failed" and "<HF_TOKEN>" in run.record()["reason"]
    logs = "".join(f.read_text(encoding="utf-8") for f in run.evidence.glob("*.log"))
    assert "Traceback" in logs and "<AWS_SECRET_ACCESS_KEY>" in logs


def test_mlflow_has_parameters_curves_scores_and_files(lab: Lab) -> None:
    """Read from its database: the quick sibling of the test with a real server."""
    first = runs_of(lab.root)[0]
    with sqlite3.connect(lab.root / "mlruns/mlflow.db") as database:

        def ask(text: str, *values: object) -> list[tuple[object, ...]]:
            return database.execute(text, values).fetchall()

        names = dict(ask("select name, run_uuid from runs"))
        assert ask("select name, status from runs") == [(first.name, "FINISHED")]
        number = names[first.name]
        params = dict(ask("select key, value from params where run_uuid = ?", number))
        assert params["train.learning_rate"] == "0.01" and params["data.sources.0.path"] == "rows.csv"
        assert (
            params["adapter.type"] == "lora" and params["evaluate.metrics.0.type"] == "perplexity" and len(params) > 60
        )
        losses = ask("select step, value from metrics where key = 'loss' and run_uuid = ? order by step", number)
        assert [step for step, _ in losses] == [1, 2, 3, 4, 5, 6]
        keys = {key for (key,) in ask("select distinct key from metrics where run_uuid = ?", number)}
        assert {"validation_loss", "grad_norm", "learning_rate", "tokens_per_second", "evaluation/tuned/chrf"} <= keys
        (uri,) = ask("select artifact_uri from runs where run_uuid = ?", number)[0]
    folder = Path(str(uri).removeprefix("file://"))
    sent = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    assert {
        "config.yaml",
        "training_stats.json",
        "evaluation/comparison.json",
        "evaluation/base_model_evaluation.json",
        "report.html",
    } <= sent


def test_c20_no_port_is_opened(lab: Lab, tmp_path: Path) -> None:
    """By any process of a tracked run; and one that does would have been noted."""
    assert lab.ports == ""
    (tmp_path / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    noted = {**os.environ, "PYTHONPATH": str(tmp_path), "CANARY_PORTS": str(tmp_path / "ports")}
    opens = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()"
    subprocess.run([sys.executable, "-c", opens], env=noted, check=True)
    assert "127.0.0.1" in (tmp_path / "ports").read_text(encoding="utf-8")


def test_use_cls_token_is_not_redacted() -> None:
    assert secrets.redacted({"use_cls_token": "true", "max_new_tokens": "8"}) == {
        "use_cls_token": "true",
        "max_new_tokens": "8",
    }
    assert (
        secrets.redact("use_cls_token=something max_new_tokens=something")
        == "use_cls_token=something max_new_tokens=something"
    )
