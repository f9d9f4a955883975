"""All trackers: addresses in settings, what TensorBoard's file holds, names and values that MLflow takes."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dadeum.core.errors import ConfigError
from dadeum.track.sender import told_of
from dadeum.track.session import Point, Session
from dadeum.track.sinks import SINKS, mlflow, tensorboard, wandb
from tests.track.support import lines, make_evidence

POINTS = [Point(step, 1000.0 + step, {"loss": 1 / step, "rewards/margins": 0.5}) for step in range(1, 6)]


@pytest.mark.parametrize("uri", ["http://me:canary@h:5000", "htp://h", "mlruns"])
def test_a_wrong_address_is_a_sentence_with_its_line_and_no_password(uri: str, tmp_path: Path) -> None:
    from dadeum.config.load import load

    text = f"name: x\nmodel: {{name_or_path: m}}\ndata: {{sources: [{{type: csv, path: a}}]}}\ntrack:\n  - {{type: mlflow, uri: '{uri}'}}\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "a.yaml", root=tmp_path)
    assert "a.yaml:5: track.0.uri: " in str(caught.value) and "canary" not in str(caught.value)


def test_each_tracker_once() -> None:
    from dadeum.config.experiment import Experiment

    written: dict[str, Any] = {
        "name": "x",
        "model": {"name_or_path": "m"},
        "data": {"sources": [{"type": "csv", "path": "a"}]},
    }
    made = Experiment.model_validate({**written, "track": ["mlflow", {"type": "wandb", "mode": "offline"}]})
    assert [sink.type for sink in made.track] == ["mlflow", "wandb"]
    assert Experiment.model_validate(written).track == ()
    with pytest.raises(ValidationError, match="found 'mlflow' twice, expected once"):
        Experiment.model_validate({**written, "track": ["mlflow", "mlflow"]})


@pytest.mark.parametrize("name", SINKS.names)
def test_a_server_has_an_address_and_a_file_has_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("MLFLOW_TRACKING_URI", "WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_MODE"):
        monkeypatch.delenv(variable, raising=False)
    sink, settings = SINKS.member(name), SINKS.validate(name)
    assert sink.server(settings) is None and sink.place(settings).startswith((f"{name}/", "mlruns/"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://h:1")
    monkeypatch.setenv("WANDB_API_KEY", "canary")
    monkeypatch.setenv("WANDB_BASE_URL", "http://h:1")
    wanted = {"mlflow": "http://h:1/health", "wandb": "http://h:1", "tensorboard": None}
    assert sink.server(settings) == wanted[name]
    sink.check(settings)


def test_wandb_asks_for_its_server_only_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "canary")
    assert wandb.server(SINKS.validate({"type": "wandb", "mode": "offline"})) is None  # type: ignore[arg-type]
    monkeypatch.setenv("WANDB_BASE_URL", "http://me:canary@h")
    with pytest.raises(ConfigError, match="WANDB_BASE_URL: found a name or password"):
        wandb.check(SINKS.validate("wandb"))  # type: ignore[arg-type]


def test_nothing_reports_home() -> None:
    assert mlflow.quiet()["MLFLOW_DISABLE_TELEMETRY"] == "true" and wandb.quiet()["WANDB_ERROR_REPORTING"] == "false"


def events(folder: Path) -> list[Any]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    (file,) = folder.iterdir()
    return list(EventFileLoader(str(file)).Load())


def opened(evidence: Path, memory: dict[str, Any]) -> Session:
    return tensorboard.open(tensorboard.Settings(), told_of(evidence), memory)


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    evidence = make_evidence(tmp_path, lines(1))
    session = opened(evidence, {})
    session.params({"train.seed": "1", "a|b": "c\nd"})
    session.metrics(POINTS)
    session.close("finished", {}, 2000.0)
    read = EventAccumulator(str(evidence / "tensorboard"), size_guidance={"tensors": 0})
    read.Reload()
    values = [(e.step, e.wall_time, round(e.value, 6)) for e in read.Scalars("loss")]
    assert values == [(p.step, p.time, round(p.values["loss"], 6)) for p in POINTS]
    (table,) = read.Tensors("config")
    assert rb"| a\|b | c d |" in table.tensor_proto.string_val[0]


def test_what_a_killed_sender_had_not_noted_is_cut_off(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, lines(1))
    session = opened(evidence, {})
    assert session.fresh
    session.metrics(POINTS[:2])
    noted = dict(session.memory)
    session.metrics(POINTS[2:])  # and killed before it is noted
    (file,) = (evidence / "tensorboard").iterdir()
    os.truncate(file, file.stat().st_size - 3)
    session = opened(evidence, noted)
    assert not session.fresh
    session.metrics(POINTS[2:])
    assert [e.step for e in events(evidence / "tensorboard") if e.HasField("summary")] == [1, 2, 3, 4, 5]
    assert opened(evidence, {"bytes": 10**9}).fresh  # a file that was taken away is written anew


def test_mlflow_keys_and_values_are_what_it_takes() -> None:
    assert mlflow._key("data.labels.긍정/부정 (x)=1") == "data.labels.긍정/부정 _x__1"
    assert len(mlflow._key("a" * 300)) == 250
    assert mlflow._value("short") == "short" and len(mlflow._value("x" * 7000)) == 6000
    assert mlflow._value("x" * 7000).endswith("… (cut; whole in config.yaml)")
