"""C20: no server is started unless it is asked for, and that one is this machine's alone."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dadeum.track import ui
from tests.run.lab import fine


def test_the_pages_are_bound_to_this_machine_and_run_no_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []
    popen = subprocess.Popen

    def recorded(words: list[str], env: dict[str, str], **more: object) -> object:
        started.append((words, env))
        return popen([sys.executable, "-c", "pass"], start_new_session=True)

    monkeypatch.setattr(ui.subprocess, "Popen", recorded)
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns/mlflow.db").touch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    assert f"http://127.0.0.1:{port}" in fine(tmp_path, "track", "ui", "--port", port).out
    ((words, environment),) = started
    assert words[words.index("--host") + 1] == "127.0.0.1" == ui.HOST
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_there_is_no_option_for_another_address(tmp_path: Path) -> None:
    said = fine(tmp_path, "track", "ui", "--help").out
    assert "--port" in said and "--host" not in said


def test_a_default_experiment_has_no_tracker() -> None:
    from dadeum.config.experiment import Experiment

    assert Experiment.model_fields["track"].default == ()
