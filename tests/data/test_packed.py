"""Compressed files give the bytes inside, or one sentence."""

import gzip
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest

from dadeum.core.errors import DataError
from dadeum.data import charset, packed

Pack = Callable[[bytes], bytes]


def zstd(data: bytes) -> bytes:
    made: bytes = pyarrow.compress(data, "zstd", asbytes=True)
    return made


PACKS: list[tuple[str, str, Pack]] = [(".gz", "gzip", gzip.compress), (".zst", "zstd", zstd)]
each = pytest.mark.parametrize(("suffix", "how", "pack"), PACKS, ids=[how for _, how, _ in PACKS])
LINES = b"".join(b'{"question": "%d", "answer": "%d"}\n' % (n, n * 7919 % 10007) for n in range(40_000))
ROW = b'{"q": "1", "a": "one"}\n'
# As `zstd` writes it: uncompressed, since it is short, and with a checksum, which pyarrow leaves out.
ZSTD_WITH_CHECKSUM = bytes.fromhex("28b52ffd0458b900007b2271223a202231222c202261223a20226f6e65227d0ae10b4138")


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@each
def test_what_is_inside(tmp_path: Path, suffix: str, how: str, pack: Pack) -> None:
    path = put(tmp_path, f"a.jsonl{suffix.upper()}", pack(LINES))
    assert packed.codec(path) == how and packed.inner(path).name == "a.jsonl"
    with packed.open_bytes(path) as file:
        assert file.read(10) + file.read() == LINES
    # Several archives one after another are one, as those of `cat a.gz b.gz` and of parallel compressors.
    put(tmp_path, path.name, pack(LINES[:100]) + pack(b"") + pack(LINES[100:]))
    with packed.open_bytes(path) as file:
        assert file.read() == LINES
    assert packed.larger(path, len(LINES) - 1) and not packed.larger(path, len(LINES))


def test_a_plain_file_is_itself(tmp_path: Path) -> None:
    path = put(tmp_path, "a.gzip.csv", b"q,a\n")
    assert packed.codec(path) is None and packed.inner(path) == path
    with packed.open_bytes(path) as file:
        assert file.read() == b"q,a\n"
    assert packed.larger(path, 3) and not packed.larger(path, 4)


@each
@pytest.mark.parametrize("left", [6, 0.5, -1])
def test_cut_short(tmp_path: Path, suffix: str, how: str, pack: Pack, left: float) -> None:
    data = pack(LINES)
    path = put(tmp_path, f"a.jsonl{suffix}", data[: int(left * len(data)) if left == 0.5 else int(left)])
    with pytest.raises(DataError) as error, packed.open_bytes(path) as file:
        file.read()
    assert str(error.value).startswith(f"{path}: the {how} data ends too early, the file is cut short; ")


@each
def test_something_else_behind_the_end(tmp_path: Path, suffix: str, how: str, pack: Pack) -> None:
    path = put(tmp_path, f"a.jsonl{suffix}", pack(LINES) + b"and something else")
    with pytest.raises(DataError) as error, packed.open_bytes(path) as file:
        file.read()
    assert str(error.value).startswith(f"{path}: cannot be unpacked, the {how} data is damaged (")


@pytest.mark.parametrize(
    ("suffix", "data"), [(".gz", gzip.compress(ROW, 0)), (".zst", ZSTD_WITH_CHECKSUM)], ids=["gzip", "zstd"]
)
def test_a_checksum_is_held_against_what_came_out(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = put(tmp_path, f"a.jsonl{suffix}", data)
    with packed.open_bytes(path) as file:
        assert file.read() == ROW
    put(tmp_path, path.name, data.replace(b"one", b"One"))
    with pytest.raises(DataError, match=r"the (gzip|zstd) data is damaged \("), packed.open_bytes(path) as file:
        file.read()


@each
def test_a_name_that_lies(tmp_path: Path, suffix: str, how: str, pack: Pack) -> None:
    path = put(tmp_path, f"a.csv{suffix}", b"question,answer\n1,2\n")
    with pytest.raises(
        DataError, match=rf"found no {how} data; if it is unpacked already, take \{suffix} off its name"
    ):
        packed.open_bytes(path)
    path = put(tmp_path, "a.csv", pack(LINES))
    with pytest.raises(DataError, match=rf"found no text; it is compressed \({how}\): let its name end in \{suffix}$"):
        charset.detect(path)


def test_other_archives_are_named(tmp_path: Path) -> None:
    import bz2
    import lzma
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.csv", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", LINES)
    with pytest.raises(DataError, match="found no text; it is a zip archive: unpack it"):
        charset.detect(tmp_path / "a.csv")
    for kind, data in (("bzip2", bz2.compress(LINES)), ("xz", lzma.compress(LINES))):
        with pytest.raises(DataError, match=f"it is a {kind} archive: unpack it"):
            charset.detect(put(tmp_path, "b.csv", data))
    put(tmp_path, "rows.csv", LINES)
    with tarfile.open(tmp_path / "c.csv.gz", "w:gz") as bundle:
        bundle.add(tmp_path / "rows.csv", "rows.csv")
    with pytest.raises(DataError, match="found a tar archive, expected text; unpack it"):
        charset.detect(tmp_path / "c.csv.gz")


CHILD = r"""
import re, sys
from pathlib import Path
from dadeum.core.errors import DataError
from dadeum.data.sources import SOURCES, Row, json
def peak():  # what getrusage tells begins with the peak of the process that started this one
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
path = Path(sys.argv[2])
json.LARGEST = 1 << 26
member = SOURCES.member(sys.argv[1])
rows = 0
import pyarrow
start = peak()
try:
    for item in member.read(member.Settings(path=str(path)), [path]):
        rows += isinstance(item, Row)
except DataError as error:
    print(error)
print(rows, peak() - start)
"""


counts_memory = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")


def read_elsewhere(kind: str, path: Path) -> tuple[list[str], int, int]:
    """What a process of its own says, the rows it read, and by how many KiB its peak memory grew."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, kind, str(path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *said, numbers = done.stdout.splitlines()
    rows, grown = map(int, numbers.split())
    return said, rows, grown


@counts_memory
@each
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str, how: str, pack: Pack) -> None:
    block = b"".join(
        b'{"question": "%d", "answer": "%s"}\n' % (n, bytes(97 + (n * k) % 26 for k in range(400))) for n in range(6000)
    )
    path = put(tmp_path, f"a.jsonl{suffix}", pack(block * 12))  # 31 MB
    said, rows, grown = read_elsewhere("jsonl", path)
    assert (said, rows) == ([], 72_000)
    assert len(block) * 12 > 30_000_000 and grown < 20_000


@counts_memory
@each
@pytest.mark.parametrize(("kind", "told"), [("jsonl", "a line is longer than"), ("json", "use type: jsonl")])
def test_a_bomb_is_refused_in_one_sentence(
    tmp_path: Path, suffix: str, how: str, pack: Pack, kind: str, told: str
) -> None:
    path = put(tmp_path, f"bomb{suffix}", pack(b"\0" * (1 << 25)) * 8)
    assert path.stat().st_size < 500_000  # 256 MiB inside
    said, rows, grown = read_elsewhere(kind, path)
    assert rows == 0 and len(said) == 1 and str(path) in said[0] and told in said[0]
    assert grown < 100_000
