"""A real MLflow server on the loopback: a run with `uri` shows its parameters, curves and files there."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dadeum.track import senders
from dadeum.track.sinks import mlflow
from dadeum.track.ui import HOST, command, environment
from tests.run.lab import NAME, fine, make_workspace, runs_of


def answered(address: str, path: str, **body: object) -> Any:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"{address}/{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.loads(reply.read()) if reply.headers.get_content_type() == "application/json" else reply.read()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """What `dadeum track ui` starts, over a database of its own."""
    place = tmp_path / "server"
    place.mkdir()
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    mlflow._create(mlflow.database(place))
    with subprocess.Popen(command(place, port), env=environment(), cwd=place, start_new_session=True) as made:
        for _ in range(1200):
            try:
                answered(f"http://{HOST}:{port}", "health")
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        yield f"http://{HOST}:{port}"
        os.killpg(made.pid, 15)


@pytest.mark.slow
def test_a_run_is_there_with_all_that_it_found_out(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "WAIT", 600.0)
    root = make_workspace(tmp_path / "lab")
    said = fine(root, "run", NAME, f"track=[{{type: mlflow, uri: '{server}'}}]")
    assert "lacks" not in said.out
    (run,) = runs_of(root)
    number = answered(server, f"api/2.0/mlflow/experiments/get-by-name?experiment_name={NAME}")["experiment"][
        "experiment_id"
    ]
    (there,) = answered(server, "api/2.0/mlflow/runs/search", experiment_ids=[number])["runs"]
    params = {param["key"]: param["value"] for param in there["data"]["params"]}
    assert params["train.learning_rate"] == "0.01" and len(params) > 60 and there["info"]["status"] == "FINISHED"
    history = answered(server, f"api/2.0/mlflow/metrics/get-history?run_id={there['info']['run_id']}&metric_key=loss")
    assert [point["step"] for point in history["metrics"]] == [1, 2, 3, 4, 5, 6]
    files = answered(server, f"api/2.0/mlflow/artifacts/list?run_id={there['info']['run_id']}")["files"]
    assert {"config.yaml", "evaluation", "report.html"} <= {file["path"] for file in files}
    page = answered(server, f"get-artifact?path=report.html&run_uuid={there['info']['run_id']}")
    assert page == (run.evidence / "report.html").read_bytes()
    assert b"<html" in answered(server, "").lower()
