"""The first rows of files on the Hub: fetched as far as they reach, and kept as files of their own.

Of Parquet the end of the file and the pages of those rows are read; of lines (csv, jsonl, text; compressed ones are
unpacked) the beginning. A row counts as read when the next one begins.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

from dadeum.core import artifact
from dadeum.core.errors import DataError
from dadeum.core.hub import Repository
from dadeum.core.language import say
from dadeum.core.remote import Remote, open_remote
from dadeum.data import charset, packed
from dadeum.data.sources import SOURCES, Fault, FileFacts, Row, parquet

STREAMED = "streamed.json"
FIRST = 1 << 17  # bytes of lines that are fetched at first
MOST = 1 << 23  # bytes of one request
AHEAD = 1 << 20  # bytes of a column that are fetched at once
BATCH = 1000
HEAD = 1 << 16
LARGE = 1 << 26  # bytes after which a quote that is not closed never will be
SPARE = 1.1  # rows that follow may be longer than those that were seen


@dataclass(frozen=True)
class Head:
    """The first rows of a file: where they lie, which file they are of, how many."""

    file: str
    of: str
    rows: int


def fetch(
    repository: Repository, wanted: Mapping[str, str | None], rows: int, into: Path, kind_of: Callable[[Path], str]
) -> None:
    """The first `rows` of each split of these files, written below `into`. Goes on after the last whole file.

    `kind_of` tells which member reads a file. Raises HubError and DataError.
    """
    done = {head.of: head for head in (heads(into) if (into / STREAMED).is_file() else ())}
    left: dict[str | None, int] = {}
    for name in sorted(wanted):
        need = left.get(wanted[name], rows)
        if need and name not in done:
            place = packed.inner(Path(name))
            (into / place).parent.mkdir(parents=True, exist_ok=True)
            remote = open_remote("dataset", repository, name)
            done[name] = Head(place.as_posix(), name, _head(remote, name, need, into / place, kind_of))
            artifact.write_json(into / STREAMED, [vars(head) for head in done.values()])
        left[wanted[name]] = need - (done[name].rows if need else 0)


def heads(folder: Path) -> list[Head]:
    """What was fetched."""
    return [Head(**entry) for entry in artifact.read_json(folder / STREAMED)]


def told(items: Iterator[Row | Fault | FileFacts], head: Head, name: str) -> Iterator[Row | Fault | FileFacts]:
    """What a reader gives, with where the file comes from."""
    said = say(f"the first {head.rows:,} rows of {head.of} in {name}", f"{name} {head.of}의 처음 {head.rows:,}행")
    for item in items:
        yield replace(item, origin=said) if isinstance(item, FileFacts) else item


def _head(remote: Remote, name: str, rows: int, place: Path, kind_of: Callable[[Path], str]) -> int:
    if place.suffix.lower() in parquet.SUFFIXES:
        return _pages(remote, rows, place)
    return _lines(remote, name, rows, place, kind_of)


def _pages(remote: Remote, rows: int, place: Path) -> int:
    import pyarrow
    import pyarrow.parquet

    done = 0
    try:
        with pyarrow.parquet.ParquetFile(
            pyarrow.PythonFile(remote, mode="r"), buffer_size=AHEAD, pre_buffer=False
        ) as file:
            columns = [column for column in file.schema_arrow.names if not column.startswith(parquet.INDEX)]
            schema = pyarrow.schema([file.schema_arrow.field(column) for column in columns])
            with pyarrow.parquet.ParquetWriter(place, schema) as writer:
                for batch in file.iter_batches(min(BATCH, rows), columns=columns, use_threads=False):
                    writer.write_batch(batch.slice(0, rows - done))
                    done += min(len(batch), rows - done)
                    if done == rows:
                        break
    except (pyarrow.ArrowException, OSError) as error:
        label, reason = remote.label, str(error).split("\n")[0].rstrip(".")
        raise DataError(
            say(f"{label}: cannot be read as Parquet ({reason})", f"{label}: Parquet으로 읽을 수 없습니다 ({reason})")
        ) from None
    return done


def _lines(remote: Remote, name: str, rows: int, place: Path, kind_of: Callable[[Path], str]) -> int:
    stream = _unpacked(remote, name)
    target, tail, ended = FIRST, b"", False
    with place.open("w+b") as file:
        while True:
            file.write(tail)
            while (have := file.tell()) < target and not ended:
                ended = not file.write(_read(stream, min(MOST, target - have), remote.label))
            whole = have if ended else _whole_lines(file)
            file.seek(whole)
            tail = file.read()
            file.truncate(whole)
            file.flush()
            found, line = _count(kind_of, place, rows, remote.label, last=ended or whole > LARGE) if whole else (0, 0)
            if line or ended:
                break
            file.seek(whole)
            target = round(have * min(max(SPARE * (rows + 1) / max(found, 1), 1.5), 16))
    if line:
        _cut(place, line, "" if kind_of(place) == "csv" else "\n")
    return found


def _unpacked(remote: Remote, name: str) -> Any:
    how = packed.codec(Path(name))
    if how is None:
        return remote
    import pyarrow

    return pyarrow.CompressedInputStream(pyarrow.PythonFile(_Ahead(remote), mode="r"), how)


class _Ahead(io.RawIOBase):
    """A file from its beginning, in requests that grow: who reads little fetches little, who reads much asks seldom."""

    def __init__(self, remote: Remote) -> None:
        super().__init__()
        self.remote, self.size, self.waiting = remote, FIRST, memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what was fetched ahead."""
        if not self.waiting:
            self.waiting = memoryview(self.remote.read(self.size) or b"")
            self.size = min(2 * self.size, MOST)
        data, self.waiting = self.waiting[: len(buffer)], self.waiting[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _read(stream: Any, size: int, label: str) -> bytes:
    import pyarrow

    try:
        return bytes(stream.read(size))
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise DataError(say(f"{label}: cannot be unpacked ({reason})", f"{label}: 풀 수 없습니다 ({reason})")) from None


def _whole_lines(file: IO[bytes]) -> int:
    """Where the last line that is wholly there ends, in whole characters of whatever encoding; 0 where there is none."""
    file.seek(0)
    head = file.read(HEAD)
    unit = 4 if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) else 2 if b"\0" in head else 1
    end = file.seek(0, io.SEEK_END)
    at = end
    while at > 0:
        begin = max(0, at - HEAD)
        file.seek(begin)
        found = file.read(at - begin).rfind(b"\n")
        if found >= 0:
            return min(-(-(begin + found + 1) // unit) * unit, end // unit * unit)
        at = begin
    return 0


def _count(kind_of: Callable[[Path], str], place: Path, rows: int, label: str, *, last: bool) -> tuple[int, int]:
    """Rows that are there, at most `rows`, and the line where the next one begins; 0 where none does.

    Raises DataError for an encoding that is not known, a JSON list, and where no more would help for what is damaged.
    """
    charset.detect(place)
    kind = kind_of(place)
    if kind == "json":
        raise DataError(
            say(
                f"{label}: is one JSON value, which is not read row by row; take streaming out, or choose other files with files",
                f"{label}: 파일 전체가 하나의 JSON이라 행 단위로 읽을 수 없습니다. streaming을 빼거나 files로 다른 파일을 고르세요",
            )
        )
    member = SOURCES.member(kind)
    found = 0
    try:
        for item in member.read(member.Settings(path=str(place)), [place]):
            if isinstance(item, FileFacts):
                continue
            if found == rows:
                return found, int(item.where.rpartition(":")[2])
            found += 1
    except DataError:  # a quote that is closed further on
        if last:
            raise
    return found, 0


def _cut(place: Path, line: int, newline: str) -> None:
    """Keep what stands before this line."""
    codec, aside = charset.detect(place), place.with_name(f".{place.name}")
    with charset.open_text(place, codec, newline) as file, aside.open("w", encoding=codec, newline="") as short:
        for text in islice(charset.lines(place, file), line - 1):
            short.write(text)
    aside.replace(place)
