"""MLflow: a database in the workspace by default, a server by `uri`."""

import contextlib
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from dadeum.core.language import say
from dadeum.core.settings import MemberSettings, setting
from dadeum.track.addresses import check as check_address
from dadeum.track.addresses import wrong
from dadeum.track.session import Point, Session, Status, Told

EXTRA, PACKAGE = "mlflow", "mlflow"
SCHEMES = ("http", "https", "sqlite", "databricks")
VARIABLES = "MLFLOW_TRACKING_USERNAME / MLFLOW_TRACKING_PASSWORD"
FOLDER, DATABASE, FILES = "mlruns", "mlflow.db", "artifacts"
LONGEST_KEY, LONGEST_VALUE, LONGEST_TAG = 250, 6000, 5000
METRICS_AT_ONCE, PARAMS_AT_ONCE = 1000, 100  # MLflow's own limits of a batch
STATUS = {"running": "RUNNING", "finished": "FINISHED", "failed": "FAILED", "killed": "KILLED", "waiting": "SCHEDULED"}
MARK = "dadeum.identity"
KIND = {"mlflow.experimentKind": "custom_model_development"}  # its pages for training, not those for agents


class Settings(MemberSettings):
    """Where the runs of this experiment are kept."""

    type: Literal["mlflow"] = "mlflow"
    uri: str | None = setting(
        None,
        "Address of a server (`http://host:5000`) or database (`sqlite:///file`); else MLFLOW_TRACKING_URI, else `mlruns/mlflow.db` here.",
        "서버(`http://호스트:5000`)나 데이터베이스(`sqlite:///파일`)의 주소. 없으면 MLFLOW_TRACKING_URI, 그것도 없으면 여기의 `mlruns/mlflow.db`.",
    )
    experiment: str | None = setting(
        None,
        "Its experiment; by default that of the same name.",
        "그쪽 실험 이름. 기본값은 같은 이름.",
        min_length=1,
        max_length=500,
    )

    @field_validator("uri")
    @classmethod
    def _right(cls, uri: str | None) -> str | None:
        fault = None if uri is None else wrong("uri", uri, SCHEMES, VARIABLES)
        if fault is not None:
            raise ValueError(fault.removeprefix("uri: "))
        return uri


def _address(settings: Settings) -> str | None:
    return settings.uri or os.environ.get("MLFLOW_TRACKING_URI") or None


def check(settings: Settings) -> None:
    """The address of the environment is held against the same rules as one of the file."""
    address = _address(settings)
    if address is not None:
        check_address("MLFLOW_TRACKING_URI" if settings.uri is None else "track.uri", address, SCHEMES, VARIABLES)


def place(settings: Settings) -> str:
    """The address, or the file."""
    return _address(settings) or f"{FOLDER}/{DATABASE}"


def server(settings: Settings) -> str | None:
    """A server's page that says that it is well."""
    address = _address(settings) or ""
    return f"{address.rstrip('/')}/health" if address.startswith("http") else None


def quiet() -> dict[str, str]:
    """MLflow reports its use by default, and tries a dead server for minutes."""
    return {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
        "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }


def database(workspace: Path) -> str:
    """The address of the workspace's own database; its folder is made, for nobody else."""
    folder = (workspace / FOLDER).resolve()
    folder.mkdir(mode=0o700, exist_ok=True)
    return f"sqlite:///{folder / DATABASE}"


def _create(uri: str) -> None:
    """Make a database that is not there yet. Its tables are many, so they are made aside: one killed meanwhile leaves nothing."""
    path = Path(uri.removeprefix("sqlite:///"))
    if path.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        SqlAlchemyStore(f"sqlite:///{aside}", (path.parent / FILES).as_uri()).engine.dispose()
        with contextlib.suppress(FileExistsError):  # another run was faster
            os.link(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def open(settings: Settings, told: Told, memory: dict[str, Any]) -> Session:
    """The run that `memory` names, or that bears our mark, or a new one."""
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    address = _address(settings)
    uri = address or database(told.workspace)
    if uri.startswith("sqlite:///") and not uri.startswith("sqlite:////"):
        uri = f"sqlite:///{told.workspace.resolve() / uri.removeprefix('sqlite:///')}"
    if uri.startswith("sqlite:///"):
        _create(uri)
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    if memory.get("run"):
        try:
            run = client.get_run(memory["run"])
            if run.info.lifecycle_stage == "active":
                return _begun(client, run.info.run_id, fresh=False)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
    name = settings.experiment or told.experiment
    found = client.get_experiment_by_name(name)
    files = None if uri.startswith(("http", "databricks")) else (told.workspace.resolve() / FOLDER / FILES).as_uri()
    number = (
        client.create_experiment(name, artifact_location=files, tags=KIND) if found is None else found.experiment_id
    )
    # Killed between making the run and noting its number, we find it again by our mark.
    ours = client.search_runs([number], filter_string=f"tags.`{MARK}` = '{told.identity}'", max_results=1)
    if ours:
        return _begun(client, ours[0].info.run_id, fresh=False)
    tags = {MARK: told.identity, "mlflow.source.name": "dadeum", **{k: v[:LONGEST_TAG] for k, v in told.tags.items()}}
    run = client.create_run(number, start_time=round(told.started * 1000), tags=tags, run_name=told.run)
    return _Run(client, run.info.run_id, fresh=True)


def _begun(client: Any, number: str, *, fresh: bool) -> "_Run":
    client.update_run(number, status="RUNNING")
    return _Run(client, number, fresh=fresh)


def _key(name: str) -> str:
    """A name that MLflow takes: it knows letters, digits and `_-. /:`."""
    plain = "".join(c if c.isalnum() or c in "_-. /:" else "_" for c in name)
    return plain if len(plain) <= LONGEST_KEY else plain[: LONGEST_KEY - 1] + "~"


def _value(text: str) -> str:
    """A value that MLflow takes; what is cut stands whole in config.yaml, which is sent too."""
    told = say("… (cut; whole in config.yaml)", "… (잘림. 전체는 config.yaml)")
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - len(told)] + told


class _Run(Session):
    def __init__(self, client: Any, number: str, *, fresh: bool) -> None:
        super().__init__(memory={"run": number}, fresh=fresh)
        self.client, self.number = client, number

    def params(self, values: Mapping[str, str]) -> None:
        """Parameters cannot be changed in MLflow: of one that did change (of the evaluation), a tag tells the new value."""
        from mlflow.entities import Param

        known = self.client.get_run(self.number).data.params
        wanted = {_key(name): _value(text) for name, text in values.items()}
        new = [Param(name, text) for name, text in wanted.items() if name not in known]
        for start in range(0, len(new), PARAMS_AT_ONCE):
            self.client.log_batch(self.number, params=new[start : start + PARAMS_AT_ONCE])
        for name, text in wanted.items():
            if name in known and known[name] != text:
                self.client.set_tag(self.number, _key(f"changed.{name}"), text[:LONGEST_TAG])

    def metrics(self, points: Sequence[Point]) -> None:
        """A point that was sent before is known by its step, time and value, and is not kept twice."""
        from mlflow.entities import Metric

        rows = [
            Metric(_key(name), value, round(point.time * 1000), point.step)
            for point in points
            for name, value in point.values.items()
        ]
        for start in range(0, len(rows), METRICS_AT_ONCE):
            self.client.log_batch(self.number, metrics=rows[start : start + METRICS_AT_ONCE])

    def artifact(self, path: Path, name: str) -> None:
        """In the folder that its name says."""
        self.client.log_artifact(self.number, str(path), artifact_path=name.rpartition("/")[0] or None)

    def close(self, status: Status, tags: Mapping[str, str], ended: float) -> None:
        """The last tags, then how it ended."""
        for name, text in tags.items():
            self.client.set_tag(self.number, _key(name), text[:LONGEST_TAG])
        if status in ("running", "waiting"):
            self.client.update_run(self.number, status=STATUS[status])
        else:
            self.client.set_terminated(self.number, STATUS[status], end_time=round(ended * 1000))
