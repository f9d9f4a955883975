"""Data sets of the Hub."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dadeum.config.data import DataSettings
from dadeum.core.errors import ArtifactError, DataError, HubError
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.data import step
from dadeum.data.sources import Fault, FileFacts, Row, hub
from tests.hub_server import COMMIT, Hub, serve

CARD = """---
license: mit
configs:
- config_name: korean
  default: true
  data_files:
  - split: train
    path: ko/train-*.jsonl
  - split: test
    path: ko/held.jsonl
- config_name: english
  data_files: en/*.csv
---
# A set
"""
FILES = {
    "README.md": CARD.encode(),
    "ko/train-0.jsonl": b'{"question": "1", "answer": "a"}\n{"question": "2", "answer": "b"}\n',
    "ko/train-1.jsonl": b'{"question": "3", "answer": "c"}\n',
    "ko/held.jsonl": b'{"question": "4", "answer": "d"}\n',
    "en/all.csv": b"question,answer\n5,e\n",
    "load.py": b"import os",
}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("dadeum.core.download.PAUSE", 0.01)
    with serve(Hub({"datasets/owner/set": dict(FILES)})) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        for name in ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        yield made


def read(workspace: Workspace, **keys: str) -> list[Row | Fault | FileFacts]:
    settings = hub.Settings(name="owner/set", **keys)  # type: ignore[arg-type]
    hub.download(settings, workspace)
    return list(hub.read(settings, hub.files(settings, workspace)))


def questions(items: list[Row | Fault | FileFacts]) -> list[tuple[str, str | None]]:
    return [(i.values["question"], i.part) for i in items if isinstance(i, Row)]


def test_default_config_and_its_splits(served: Hub, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert questions(read(workspace)) == [("4", "test"), ("1", None), ("2", None), ("3", None)]
    folder = tmp_path / "data/raw/owner--set" / COMMIT
    names = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())
    assert names == [
        *("README.md", "ko/held.jsonl", "ko/train-0.jsonl", "ko/train-1.jsonl", "manifest.json", "repository.json"),
    ]
    assert [f.name for f in folder.parent.iterdir() if f.name.startswith(".")] == []


def test_config_split_part_and_files(served: Hub, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert questions(read(workspace, config="english")) == [("5", None)]
    assert questions(read(workspace, split="test")) == [("4", None)]
    assert questions(read(workspace, split="train", part="validation"))[0] == ("1", "validation")
    assert questions(read(workspace, files="ko/*-1.jsonl")) == [("3", None)]
    with pytest.raises(DataError, match="expected one of: korean, english"):
        read(workspace, config="english2")
    with pytest.raises(DataError, match=r"no csv.* fits; there are: .*ko/held\.jsonl"):
        read(workspace, split="nowhere")
    with pytest.raises(DataError, match="files of several kinds"):
        read(workspace, files="*")


def test_names_tell_splits_where_there_is_no_card(served: Hub, tmp_path: Path) -> None:
    row = b'{"question": "1", "answer": "a"}\n'
    served.repositories["datasets/owner/set"] = {
        "data/train-00000-of-1.json": row,
        "data/validation-0.json": b'[{"question": "2", "answer": "b"}]',
        "dataset_infos.json": b"{}",
        "attestation.json": b'{"question": "3",\n "answer": "c"}',
    }
    settings = hub.Settings(name="owner/set", files="data/*")
    hub.download(settings, Workspace(tmp_path))
    items = list(hub.read(settings, hub.files(settings, Workspace(tmp_path))))
    assert questions(items) == [("1", None), ("2", "validation")]


def test_compressed_files_are_read_unless_they_lie_there_plain(served: Hub, tmp_path: Path) -> None:
    line = b'{"question": "%d", "answer": "a"}\n'
    served.repositories["datasets/owner/set"] = {
        "data/train-0.jsonl": line % 1,
        "data/train-0.jsonl.gz": gzip.compress(line % 1),
        "data/train-1.jsonl.gz": gzip.compress(line % 2),
        "data/test.json.gz": gzip.compress(line % 3 + line % 4),
        "requirements.txt.gz": b"no rows",
    }
    workspace = Workspace(tmp_path)
    assert questions(read(workspace, files="*.jsonl*")) == [("1", None), ("2", None)]
    assert questions(read(workspace, files="*test*")) == [("3", None), ("4", None)], (
        "one object a line, whatever the name"
    )
    with pytest.raises(DataError, match=r"files of several kinds \(json, jsonl\)"):
        read(workspace)


def test_places_tell_files_of_one_name_apart(served: Hub, tmp_path: Path) -> None:
    rows = b'{"question": "1", "answer": "a"}\n[]\n'
    served.repositories["datasets/owner/set"] = {"ko/all.jsonl": rows, "en/all.jsonl": rows, "ko/rest.jsonl": rows}
    found = [i.where for i in read(Workspace(tmp_path)) if not isinstance(i, FileFacts)]
    assert found == [
        *("en/all.jsonl:1", "en/all.jsonl:2", "ko/all.jsonl:1", "ko/all.jsonl:2", "rest.jsonl:1", "rest.jsonl:2"),
    ]


def test_what_is_there_is_not_asked_for_again(served: Hub, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    data = DataSettings.model_validate({"sources": [{"type": "hub", "name": "owner/set"}]})
    assert step.inputs(data, workspace) == {"hub:owner/set@main": None}
    with pytest.raises(DataError, match="not downloaded; run dadeum data download"):
        hub.files(hub.Settings(name="owner/set"), workspace)
    (folder,) = step.download(data, workspace, Silent())
    assert folder.name == COMMIT
    served.requests.clear()
    served.commits["datasets/owner/set"] = "f" * 40
    assert step.inputs(data, workspace) == {"hub:owner/set@main": COMMIT}
    assert step.download(data, workspace, Silent()) == [folder]
    assert served.requests == []


def test_interrupted_download_goes_on(served: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, settings = Workspace(tmp_path), hub.Settings(name="owner/set")
    fetch = hub.hub.fetch_dataset
    monkeypatch.setattr(hub.hub, "fetch_dataset", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        hub.download(settings, workspace)
    assert hub.commit(settings, workspace) is None
    monkeypatch.setattr(hub.hub, "fetch_dataset", fetch)
    assert hub.commit(settings, workspace) is None
    hub.download(settings, workspace)
    assert hub.commit(settings, workspace) == COMMIT


def test_half_a_file_is_not_kept_where_other_files_were_asked_for(served: Hub, tmp_path: Path) -> None:
    served.stuck["ko/train-0.jsonl"] = 5
    with pytest.raises(HubError, match=r"owner/set: ko/train-0\.jsonl: the connection was cut, 5 / 66 bytes are here"):
        read(Workspace(tmp_path))
    assert list((tmp_path / "data/raw").rglob("*.incomplete"))
    assert questions(read(Workspace(tmp_path), config="english")) == [("5", None)]
    assert not list((tmp_path / "data/raw").rglob("*.incomplete"))


def test_changed_original_is_noticed(served: Hub, tmp_path: Path) -> None:
    workspace, settings = Workspace(tmp_path), hub.Settings(name="owner/set")
    (hub.download(settings, workspace) / "ko/held.jsonl").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"'ko/held\.jsonl' is damaged"):
        hub.files(settings, workspace)


def test_unknown_set(served: Hub, tmp_path: Path) -> None:
    with pytest.raises(HubError, match="no such dataset on the Hub"):
        hub.download(hub.Settings(name="owner/sett"), Workspace(tmp_path))
    served.gated.add("datasets/owner/set")
    with pytest.raises(HubError, match=r"is gated; accept its licence on its page \(http.*/datasets/owner/set\)"):
        hub.download(hub.Settings(name="owner/set"), Workspace(tmp_path))


def test_from_the_hub_to_conversations(served: Hub, tmp_path: Path) -> None:
    from tests.data.small import Data

    rows = "".join(json.dumps({"question": f"질문{n}", "answer": f"답{n}"}) + "\n" for n in range(40))
    served.repositories["datasets/owner/set"]["ko/train-0.jsonl"] = rows.encode()
    data = Data(tmp_path)
    settings = data.settings({"type": "hub", "name": "owner/set"})
    step.download(settings, data.workspace, Silent())
    report = data.report(settings)
    assert report["parts"] == {"train": 39, "validation": 2, "test": 1}
    assert report["sources"][0]["file"] == f"data/raw/owner--set/{COMMIT}/ko/held.jsonl"
