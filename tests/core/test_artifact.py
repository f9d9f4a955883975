"""dadeum.core.artifact: folders are whole or absent, whatever happens to their writer."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from dadeum.core import artifact
from dadeum.core.artifact import (
    MANIFEST,
    damage,
    read_json,
    read_manifest,
    sweep,
    verified,
    write_json,
    write_text,
    writing,
)
from dadeum.core.errors import ArtifactError

WRITER = """
import resource, sys
from pathlib import Path
from dadeum.core import faults
from dadeum.core.artifact import writing
from dadeum.core.language import say

folder, limit = Path(sys.argv[1]), int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
with writing(folder, kind="test", fingerprint="new", made_from={"by": "writer"}) as aside:
    faults.point("writer.start")
    (aside / "deep").mkdir()
    for i in range(3):
        with (aside / "deep" / f"{i}.bin").open("wb") as file:
            file.write(b"n" * 3000)
            faults.point("writer.mid_file")
            file.write(b"n" * 3000)
    faults.point("writer.end")
"""
# None of these files is whole when the writer dies, or both are: never a part.
POINTS = [
    "writer.start",
    "writer.mid_file",
    "writer.mid_file:3",
    "writer.end",
    "artifact.before_rename",
    "artifact.between_renames",
    "artifact.after_rename",
]


def run_writer(folder: Path, *, point: str = "", limit: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DADEUM_FAULT_POINT": point}
    command = [sys.executable, "-c", WRITER, str(folder), str(limit)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)


def make(folder: Path, text: str = "old", **facts: Any) -> None:
    with writing(folder, kind="test", fingerprint=text, made_from={"text": text}, facts=facts) as aside:
        (aside / "sub").mkdir()
        (aside / "a.txt").write_text(text, encoding="utf-8")
        (aside / "sub" / "b.txt").write_text(text * 2, encoding="utf-8")


def names(folder: Path) -> list[str]:
    return sorted(f.name for f in folder.iterdir())


def test_what_is_written_is_found_again(tmp_path: Path) -> None:
    facts: dict[str, Any] = {}
    with writing(tmp_path / "이름", kind="k", fingerprint="f", made_from={"a": 1}, facts=facts) as aside:
        (aside / "a.txt").write_text("가", encoding="utf-8")
        facts["rows"] = 3
        assert not (tmp_path / "이름").exists()
    manifest = verified(tmp_path / "이름")
    assert (manifest.kind, manifest.fingerprint, manifest.made_from, manifest.facts) == (
        "k",
        "f",
        {"a": 1},
        {"rows": 3},
    )
    assert set(manifest.files) == {"a.txt"}
    assert manifest.versions["dadeum"]
    assert names(tmp_path) == ["이름"]


def test_an_error_leaves_nothing_and_keeps_the_old(tmp_path: Path) -> None:
    make(tmp_path / "x")
    with (
        pytest.raises(KeyboardInterrupt),
        writing(tmp_path / "x", kind="test", fingerprint="new", made_from={}) as aside,
    ):
        (aside / "a.txt").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt
    assert verified(tmp_path / "x").fingerprint == "old"
    assert names(tmp_path) == ["x"]


def test_a_new_one_replaces_the_old_wholly(tmp_path: Path) -> None:
    make(tmp_path / "x")
    with writing(tmp_path / "x", kind="test", fingerprint="new", made_from={}) as aside:
        (aside / "c.txt").write_text("new", encoding="utf-8")
    assert set(verified(tmp_path / "x").files) == {"c.txt"}
    assert names(tmp_path / "x") == ["c.txt", MANIFEST]
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("before", [False, True])
def test_killed_writer_leaves_whole_or_nothing(tmp_path: Path, point: str, before: bool) -> None:
    folder = tmp_path / "x"
    if before:
        make(folder)
    done = run_writer(folder, point=point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    found = read_manifest(folder)
    assert found is not None or not folder.exists()
    sweep(tmp_path)
    assert [n for n in names(tmp_path) if n != "x"] == []
    if before and (point.startswith("writer") or point == "artifact.before_rename"):
        assert verified(folder).fingerprint == "old"
    elif point.startswith("writer"):
        assert not folder.exists()
    else:
        assert verified(folder).fingerprint == "new"
    assert run_writer(folder).returncode == 0
    assert verified(folder).fingerprint == "new"
    assert names(tmp_path) == ["x"]


def test_a_file_too_large_for_the_disk_keeps_the_old(tmp_path: Path) -> None:
    make(tmp_path / "x")
    done = run_writer(tmp_path / "x", limit=4000)
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert verified(tmp_path / "x").fingerprint == "old"
    assert names(tmp_path) == ["x"]


class Full:
    """A file on a disk with room for so many characters."""

    def __init__(self, file: IO[str], room: int) -> None:
        self.file, self.room = file, room

    def write(self, text: str) -> int:
        self.file.write(text[: self.room])
        if len(text) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> "Full":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


@pytest.mark.parametrize("tenth", range(10))
def test_no_space_at_any_tenth_of_a_file_keeps_the_old(
    tmp_path: Path, tenth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "a.json", {"old": True})
    text = json.dumps({"new": ["x" * 10] * 50})
    really: Callable[..., IO[str]] = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: Full(really(self, *a, **k), len(text) * tenth // 10))
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "a.json", text)
    monkeypatch.undo()
    assert read_json(tmp_path / "a.json") == {"old": True}
    assert names(tmp_path) == ["a.json"]


def test_no_space_while_the_manifest_is_written_keeps_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "x")

    def full(path: Path, value: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artifact, "write_json", full)
    with pytest.raises(OSError, match="No space left"):
        make(tmp_path / "x", "new")
    assert verified(tmp_path / "x").fingerprint == "old"
    assert names(tmp_path) == ["x"]


@pytest.mark.parametrize("target", ["home", "absent"])
def test_links_are_refused_and_what_they_point_to_stays(tmp_path: Path, target: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "precious.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "x").symlink_to(tmp_path / target)
    with pytest.raises(ArtifactError, match="is a link"):
        make(tmp_path / "x")
    assert (tmp_path / "home" / "precious.txt").read_text(encoding="utf-8") == "mine"
    assert names(tmp_path) == ["home", "x"]


def test_folders_and_files_of_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "precious.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "y").write_text("mine", encoding="utf-8")
    with pytest.raises(ArtifactError, match="dadeum did not make"):
        make(tmp_path / "x")
    with pytest.raises(ArtifactError, match="is a file"):
        make(tmp_path / "y")
    assert (tmp_path / "x" / "precious.txt").read_text(encoding="utf-8") == "mine"
    assert names(tmp_path) == ["x", "y"]
    (tmp_path / "empty").mkdir()
    make(tmp_path / "empty")
    assert verified(tmp_path / "empty").fingerprint == "old"


def _flip(file: Path) -> None:
    raw, stat = bytearray(file.read_bytes()), file.stat()
    raw[0] ^= 1
    file.write_bytes(raw)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (lambda f: _flip(f / "a.txt"), "a.txt"),
        (lambda f: (f / "sub" / "b.txt").unlink(), "sub/b.txt"),
        (lambda f: (f / "a.txt").write_bytes(b""), "a.txt"),
    ],
)
def test_damage_is_found_and_named(tmp_path: Path, harm: Callable[[Path], None], named: str) -> None:
    make(tmp_path / "x")
    manifest = verified(tmp_path / "x")
    assert damage(tmp_path / "x", manifest) is None
    harm(tmp_path / "x")
    assert damage(tmp_path / "x", manifest) == named
    with pytest.raises(ArtifactError, match=f"x: '{named}' is damaged or absent"):
        verified(tmp_path / "x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"kind": "k"}',
        '{"kind":1,"fingerprint":1,"made_from":1,"files":[]}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_a_manifest_that_is_none_makes_the_folder_absent(tmp_path: Path, text: str) -> None:
    make(tmp_path / "x")
    (tmp_path / "x" / MANIFEST).write_bytes(text.encode(errors="surrogateescape"))
    assert read_manifest(tmp_path / "x") is None
    with pytest.raises(ArtifactError, match="incomplete"):
        verified(tmp_path / "x")


def test_json_is_finite_and_damaged_json_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert names(tmp_path) == []
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    for broken in ("a.json", "absent.json"):
        with pytest.raises(ArtifactError, match=broken):
            read_json(tmp_path / broken)


def test_sweep_leaves_living_and_distant_writers_alone(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    mine = artifact._aside(tmp_path / "a-b")
    mine.mkdir()
    living = tmp_path / mine.name.replace(f"-{os.getpid()}-", f"-{writer.pid}-")
    distant = tmp_path / ".writing-a-b-ffffff-1-00000000"
    forgotten = tmp_path / ".writing-a-b-eeeeee-1-00000000"
    strange = tmp_path / ".writing-a"
    for folder in (living, distant, forgotten, strange):
        folder.mkdir(exist_ok=True)
    (tmp_path / ".writing-link").symlink_to(tmp_path)
    ago = time.time() - artifact.FORGOTTEN_AFTER - 60
    for folder in (forgotten, strange):
        os.utime(folder, (ago, ago))
    sweep(tmp_path)
    assert set(names(tmp_path)) == {mine.name, living.name, distant.name, ".writing-link"}
    assert writer.stdin is not None
    writer.stdin.close()
    writer.wait()
    sweep(tmp_path)
    assert set(names(tmp_path)) == {mine.name, distant.name, ".writing-link"}
    sweep(tmp_path / "absent")
