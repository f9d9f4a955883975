"""MLflow's own pages over the workspace's database: on this machine only, and only while somebody asks for them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from dadeum.core.errors import ArtifactError, ConfigError
from dadeum.core.language import say
from dadeum.track.sinks import mlflow

HOST = "127.0.0.1"


def command(workspace: Path, port: int) -> list[str]:
    """What is run; the address is never another machine's."""
    files = (workspace.resolve() / mlflow.FOLDER / mlflow.FILES).as_uri()
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--backend-store-uri", mlflow.database(workspace), "--default-artifact-root", files),
        *("--host", HOST, "--port", str(port), "--workers", "1"),
        *("--allowed-hosts", f"{HOST}:{port},localhost:{port}"),
    ]


def environment() -> dict[str, str]:
    """No reports home, and no jobs: running those for whoever asks was a hole of its own."""
    return {
        **os.environ,
        **mlflow.quiet(),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_SERVER_JOB_ENABLE_PERIODIC_TASKS": "false",
    }


def check(workspace: Path, port: int) -> None:
    """Raises ArtifactError where there is nothing to show, ConfigError where the port is taken."""
    if not (workspace / mlflow.FOLDER / mlflow.DATABASE).is_file():
        raise ArtifactError(
            say(
                f"{mlflow.FOLDER}/{mlflow.DATABASE}: no such file; run an experiment with `track: [mlflow]` first, "
                "or `dadeum run EXPERIMENT track=[mlflow]`",
                f"{mlflow.FOLDER}/{mlflow.DATABASE}: 그런 파일이 없습니다. 먼저 `track: [mlflow]`인 실험이나 "
                "`dadeum run 실험 track=[mlflow]`를 실행하세요",
            )
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigError(
                say(
                    f"--port: {port} cannot be used ({error.strerror}); choose another",
                    f"--port: {port}번을 쓸 수 없습니다 ({error.strerror}). 다른 번호를 고르세요",
                )
            ) from None


def serve(workspace: Path, port: int) -> None:
    """Until it ends, or we are told to: then with all that it started itself."""
    child = subprocess.Popen(command(workspace, port), env=environment(), cwd=workspace, start_new_session=True)
    try:
        child.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
