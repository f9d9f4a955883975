"""dadeum.core.fingerprint: bytes count, times do not."""

import importlib.metadata
import os
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.fingerprint import LIBRARIES, fingerprint, sha256_file, sha256_folder, versions
from dadeum.core.settings import Settings, setting

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1


def test_oracle(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_file(tmp_path / "a") == ABC


def test_one_byte_behind_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(b"question,answer\n" * 1000)
    before, stat, folder = sha256_file(file), file.stat(), sha256_folder(tmp_path)
    raw = bytearray(file.read_bytes())
    raw[8000] ^= 1
    file.write_bytes(raw)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert sha256_file(file) != before
    assert sha256_folder(tmp_path) != folder


def test_folder_counts_names_and_all_that_lies_below(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"1")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.txt").write_bytes(b"2")
    first = sha256_folder(tmp_path)
    (tmp_path / "deep" / "__pycache__").mkdir()
    for beside in (".hidden", "deep/__pycache__/b.pyc"):
        (tmp_path / beside).write_bytes(b"4")
    assert sha256_folder(tmp_path) == first
    (tmp_path / "deep" / "b.txt").write_bytes(b"3")
    second = sha256_folder(tmp_path)
    (tmp_path / "a.json").rename(tmp_path / "c.json")
    assert len({first, second, sha256_folder(tmp_path)}) == 3


def test_order_of_keys_does_not_matter_but_of_items_it_does() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint([1, 2]) != fingerprint([2, 1])
    assert fingerprint("a", "b") != fingerprint("ab") != fingerprint(["a", "b"])


@pytest.mark.parametrize(
    "pair", [(0.1, 0.2), ("1", 1), (None, "null"), (True, 1), ("가", "나"), ({}, []), ("가", "\u1100\u1161")]
)
def test_different_values_differ(pair: tuple[Any, Any]) -> None:
    assert fingerprint(pair[0]) != fingerprint(pair[1])


def test_settings_count_by_every_field() -> None:
    class Small(Settings):
        a: int = setting(1, "A.", "가.")
        b: str = setting("x", "B.", "나.")

    words = {fingerprint(s) for s in (Small(), Small(a=2), Small(b="y"), Small(a=2, b="y"))}
    assert len(words) == 4
    assert fingerprint(Small()) == fingerprint(Small(a=1)) == fingerprint({"a": 1, "b": "x"})


def test_paths_and_names_that_are_not_utf8() -> None:
    assert fingerprint(Path("a/b")) == fingerprint("a/b")
    assert fingerprint(os.fsdecode(b"\xff")) != fingerprint(os.fsdecode(b"\xfe"))


def test_what_cannot_be_written_down_has_none() -> None:
    with pytest.raises(TypeError, match="object has no fingerprint"):
        fingerprint({"a": object()})


def test_versions_are_those_installed() -> None:
    found = versions()
    assert set(found) == {"dadeum", *LIBRARIES}
    assert found["torch"] == importlib.metadata.version("torch")
    assert "absent" not in found.values()
