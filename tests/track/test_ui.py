"""MLflow's pages: bound to this machine, without jobs, refused in a sentence."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.core.errors import ArtifactError, ConfigError
from dadeum.track import ui
from dadeum.track.ui import check, command, environment


def test_only_this_machine_and_nothing_that_runs_jobs(tmp_path: Path) -> None:
    words = command(tmp_path, 5001)
    assert words[words.index("--host") + 1] == "127.0.0.1" and words[words.index("--port") + 1] == "5001"
    assert words[words.index("--backend-store-uri") + 1] == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert "--disable-security-middleware" not in words
    told = environment()
    assert told["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false" and told["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_nothing_to_show_and_a_port_that_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"mlruns/mlflow.db: no such file; run an experiment with"):
        check(tmp_path, 5001)
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns/mlflow.db").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--port: {port} cannot be used"):
            check(tmp_path, port)
    check(tmp_path, port)


def test_it_ends_with_all_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM or Ctrl-C here: the workers of the server go too."""
    grandchild = "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)']); print(c.pid, flush=True); c.wait()"
    ours, theirs = os.pipe()
    popen, told = subprocess.Popen, []

    class Interrupted(popen):  # type: ignore[type-arg, valid-type, misc]
        def wait(self, timeout: float | None = None) -> int:
            if not told:
                told.append(int(os.read(ours, 20)))
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(ui, "command", lambda workspace, port: [sys.executable, "-c", grandchild])
    monkeypatch.setattr(ui.subprocess, "Popen", lambda words, **more: Interrupted(words, stdout=theirs, **more))
    with pytest.raises(KeyboardInterrupt):
        ui.serve(tmp_path, 5001)
    os.close(theirs)
    assert os.read(ours, 1) == b""  # nobody is left who could write
    os.close(ours)
