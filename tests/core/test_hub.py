"""The Hub, and each way in which it fails."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.core import hub as client
from dadeum.core.errors import HubError
from tests.hub_server import COMMIT, Hub, refused_url, serve

MODEL = {
    "config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "model.safetensors": b"weights",
    "pytorch_model.bin": b"a pickle",
    "modeling.py": b"import os",
    "README.md": b"# read me",
}

SHIPPED = client.TIMEOUT


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serve(Hub({"models/owner/model": dict(MODEL)})) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield served


def test_weights_and_tokenizer_come_and_nothing_that_executes(hub: Hub) -> None:
    folder = client.fetch_model("owner/model", weights=True)
    assert sorted(f.name for f in folder.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert client.cached_commit("owner/model", "main") == COMMIT


def test_without_weights(hub: Hub) -> None:
    assert client.cached_commit("owner/model", "main") is None
    folder = client.fetch_model("owner/model", weights=False)
    assert sorted(f.name for f in folder.iterdir()) == ["config.json", "tokenizer.json"]
    assert (client.fetch_model("owner/model", weights=True) / "model.safetensors").is_file()


def test_a_new_commit_is_fetched_and_a_named_one_is_not_asked_for(hub: Hub) -> None:
    client.fetch_model("owner/model", weights=True)
    hub.repositories["models/owner/model"]["config.json"] = b'{"new": 1}'
    hub.commits["models/owner/model"] = "f" * 40
    assert (client.fetch_model("owner/model", weights=True) / "config.json").read_bytes() == b'{"new": 1}'
    hub.requests.clear()
    assert client.fetch_model("owner/model", COMMIT, weights=True).name == COMMIT
    assert hub.requests == []


def test_offline_uses_the_cache_and_asks_nobody(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = client.fetch_model("owner/model", weights=False)
    hub.requests.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert client.fetch_model("owner/model", weights=False) == folder
    with pytest.raises(HubError, match="HF_HUB_OFFLINE forbids the network"):
        client.fetch_model("owner/model", weights=True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE forbids the network"):
        client.fetch_model("owner/other", weights=False)
    assert hub.requests == []


def test_a_local_folder_asks_nobody(hub: Hub, tmp_path: Path) -> None:
    assert client.fetch_model(str(tmp_path), weights=True) == tmp_path
    with pytest.raises(HubError, match="no such folder"):
        client.fetch_model("./nowhere", weights=True)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("name", "local"),
    [("owner/model", False), ("gpt2", False), ("./m", True), ("/m", True), ("~/m", True), ("a/b/c", True)],
)
def test_is_local(name: str, local: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert client.is_local(name) is local
    os.makedirs(tmp_path / "owner/model")
    assert client.is_local("owner/model")


def test_shards_must_all_be_there(hub: Hub) -> None:
    files = hub.repositories["models/owner/model"]
    del files["model.safetensors"]
    files["model.safetensors.index.json"] = b'{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'
    files["model-1.safetensors"] = b"1"
    files["model-2.safetensors"] = b"2"
    folder = client.fetch_model("owner/model", weights=True)
    hub.status = 503
    assert client.fetch_model("owner/model", weights=True) == folder
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(HubError, match="error 503"):
        client.fetch_model("owner/model", weights=True)


def test_model_without_safetensors(hub: Hub) -> None:
    del hub.repositories["models/owner/model"]["model.safetensors"]
    with pytest.raises(HubError, match="holds no safetensors"):
        client.fetch_model("owner/model", weights=True)


def test_each_failure_has_its_sentence(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def sentence(name: str = "owner/model", revision: str = "main") -> str:
        before = len(hub.requests)
        with pytest.raises(HubError) as raised:
            client.fetch_model(name, revision, weights=True)
        # One request tells; the second attempt and who is asked about the token are the others.
        assert len(hub.requests) - before <= client.ATTEMPTS + 1 and "\n" not in str(raised.value)
        return str(raised.value)

    monkeypatch.setattr(client, "PAUSE", 0.01)
    assert "no such model on the Hub" in sentence("owner/modle")
    assert "no name of a model" in sentence("owner/mo del")
    assert "has no revision 'v9'" in sentence(revision="v9")
    hub.gated.add("models/owner/model")
    hub.token = "right-token"
    assert "accept its licence" in sentence() and "HF_TOKEN=… into .env" in sentence()
    monkeypatch.setenv("HF_TOKEN", "wrong-token")
    assert "wrong-token" not in sentence()
    assert "does not accept HF_TOKEN" in sentence("owner/modle")
    monkeypatch.setenv("HF_TOKEN", "right-token")
    assert (client.fetch_model("owner/model", weights=True) / "config.json").is_file()
    for status in (404, 500, 504):
        hub.status = status
        assert ("no such model" if status == 404 else f"error {status}") in sentence("owner/another")
    hub.status = None
    hub.hang = 600
    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    assert "does not answer in time" in sentence("owner/another")
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    assert "cannot be reached" in sentence("owner/another")


def test_a_dead_hub_falls_back_on_a_complete_copy(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = client.fetch_model("owner/model", weights=True)
    monkeypatch.setenv("HF_ENDPOINT", refused_url())
    monkeypatch.setattr(client, "PAUSE", 0.01)
    assert client.fetch_model("owner/model", weights=True) == folder


def test_time_of_a_hub_that_hangs_is_bounded() -> None:
    assert client.ATTEMPTS * SHIPPED + (client.ATTEMPTS - 1) * client.PAUSE < 10
