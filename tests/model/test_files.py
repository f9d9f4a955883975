"""Safetensors and JSON, and nothing else."""

import json
from pathlib import Path

import pytest

from dadeum.core.errors import ModelError
from dadeum.model.files import is_adapter, read_object, weight_files


def names(place: Path) -> list[str]:
    return [file.name for file in weight_files(place)]


def touch(place: Path, *files: str) -> Path:
    place.mkdir(exist_ok=True)
    for file in files:
        (place / file).write_bytes(b"{}")
    return place


def test_whole_sharded_and_adapter(tmp_path: Path) -> None:
    assert names(touch(tmp_path / "whole", "model.safetensors", "pytorch_model.bin")) == ["model.safetensors"]
    parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    sharded = touch(tmp_path / "sharded", *parts)
    index = {"weight_map": {"a": parts[1], "b": parts[0], "c": parts[1]}}
    (sharded / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert names(sharded) == parts
    adapter = touch(tmp_path / "adapter", "adapter_config.json", "adapter_model.safetensors", "model.safetensors")
    assert is_adapter(adapter) and names(adapter) == ["adapter_model.safetensors"]


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "weights.pkl", "last.ckpt"])
def test_a_pickle_alone_is_named_and_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=rf"found {name}, expected model\.safetensors; pickled weights are never opened"
    ):
        weight_files(touch(tmp_path / "m", name))
    with pytest.raises(ModelError, match=rf"found {name}, expected adapter_model\.safetensors"):
        weight_files(touch(tmp_path / "a", "adapter_config.json", name, "model.safetensors"))


@pytest.mark.parametrize(
    "name", ["part.bin", "../other/model.safetensors", "/etc/model.safetensors", "sub/model.safetensors"]
)
def test_an_index_that_points_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    place = touch(tmp_path / "m")
    (place / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"names of \.safetensors files beside it"):
        weight_files(place)


def test_an_absent_part_is_named(tmp_path: Path) -> None:
    place = touch(tmp_path / "m", "one.safetensors")
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(ModelError, match=r"expected two\.safetensors"):
        weight_files(place)


def test_objects(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    with pytest.raises(ModelError, match="found no config"):
        read_object(file)
    for text in ("", "[1]", "{", "\udcff"):
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(ModelError, match="JSON"):
            read_object(file)
