"""B18 (fetching): a local run makes no connection; each way in which the Hub fails has its own sentence, soon."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.core import hub as client
from dadeum.core.errors import HubError
from dadeum.core.progress import Silent
from dadeum.data import step
from tests.data.small import Data, csv
from tests.hub_server import Hub, refused_url, serve

NAME = "owner/set"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serve(Hub({f"datasets/{NAME}": {"a.csv": csv(12).encode()}})) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield served


def test_a_local_run_opens_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    data = Data(tmp_path)
    settings = data.settings({"type": "csv", "path": data.write("qa.csv", csv(12))})
    assert step.download(settings, data.workspace, Silent()) == []
    assert (data.format(settings) / "train.arrow").is_file()
    assert client.fetch_model(str(data.tokenizer), weights=True) == data.tokenizer


def sentence(tmp_path: Path) -> str:
    data = Data(tmp_path)
    with pytest.raises(HubError) as raised:
        step.download(data.settings({"type": "hub", "name": NAME}), data.workspace, Silent())
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_failures_are_told_apart(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE", 0.01)
    found = {}
    hub.gated.add(f"datasets/{NAME}")
    found["gated"] = sentence(tmp_path)
    hub.gated.clear()
    for status in (401, 403, 404, 500, 504):
        hub.status = status
        found[str(status)] = sentence(tmp_path)
    hub.status = None
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    found["refused"] = sentence(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found["offline"] = sentence(tmp_path)
    assert "accept its licence" in found["gated"] and "HF_TOKEN" in found["gated"]
    assert found["403"] == found["gated"]
    assert "no such dataset" in found["404"] and "no such dataset" in found["401"]
    assert "error 500" in found["500"] and "error 504" in found["504"]
    assert "cannot be reached" in found["refused"]
    assert "HF_HUB_OFFLINE forbids" in found["offline"]


def test_a_hub_that_hangs_is_given_up_in_time(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Hub that never answers; how long one is waited for as shipped is in tests/core/test_hub.py."""
    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    hub.hang = 600
    assert "does not answer in time" in sentence(tmp_path)
    # One that hung up before the server looked is not counted.
    assert len(hub.requests) <= client.ATTEMPTS


def test_a_downloaded_set_needs_no_hub(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Data(tmp_path)
    settings = data.settings({"type": "hub", "name": NAME})
    step.download(settings, data.workspace, Silent())
    hub.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    step.download(settings, data.workspace, Silent())
    assert len(data.rows(settings)) == 12 and hub.requests == []
