"""A20: merging into the folder that is read must not touch it, by whatever name it is called."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dadeum.core.errors import DadeumError
from dadeum.core.fingerprint import sha256_file
from dadeum.model.merge import merge
from tests.model.adapted import folders


def itself(adapter: Path, base: Path, place: Path) -> Path:
    return base


def the_adapter(adapter: Path, base: Path, place: Path) -> Path:
    return adapter


def with_dots(adapter: Path, base: Path, place: Path) -> Path:
    return base / ".." / "base"


def by_link(adapter: Path, base: Path, place: Path) -> Path:
    (place / "alias").symlink_to(base, target_is_directory=True)
    return place / "alias"


def below_a_link(adapter: Path, base: Path, place: Path) -> Path:
    (place / "alias").symlink_to(place, target_is_directory=True)
    return place / "alias" / "base"


def by_hard_link(adapter: Path, base: Path, place: Path) -> Path:
    (place / "other").mkdir()
    os.link(base / "model.safetensors", place / "other" / "model.safetensors")
    return place / "other"


def by_a_linked_file(adapter: Path, base: Path, place: Path) -> Path:
    (place / "other").mkdir()
    (place / "other" / "model.safetensors").symlink_to(base / "model.safetensors")
    return place / "other"


def around_it(adapter: Path, base: Path, place: Path) -> Path:
    return place


def inside_it(adapter: Path, base: Path, place: Path) -> Path:
    return base / "merged"


WAYS = [itself, the_adapter, with_dots, by_link, below_a_link, by_hard_link, by_a_linked_file, around_it, inside_it]


@pytest.mark.parametrize("way", WAYS)
def test_an_input_is_refused_as_output_and_keeps_its_bytes(
    way: Callable[[Path, Path, Path], Path], tmp_path: Path
) -> None:
    adapter, base, _ = folders(tmp_path)
    out = way(adapter, base, tmp_path)
    files = sorted(f for f in tmp_path.rglob("*") if f.is_file())
    before = {file: sha256_file(file) for file in files}
    with pytest.raises(DadeumError, match="choose another folder to write to"):
        merge(adapter, base, out)
    assert {file: sha256_file(file) for file in files} == before
    assert sorted(f for f in tmp_path.rglob("*") if f.is_file()) == files


def test_the_inputs_are_as_before_after_a_merge(tmp_path: Path) -> None:
    adapter, base, _ = folders(tmp_path)
    before = {file: sha256_file(file) for folder in (adapter, base) for file in folder.iterdir()}
    merge(adapter, base, tmp_path / "merged")
    assert {file: sha256_file(file) for folder in (adapter, base) for file in folder.iterdir()} == before
