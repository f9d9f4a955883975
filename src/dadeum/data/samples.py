"""Samples on disk: an Arrow file, read through the page cache, never as a whole."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dadeum.core.errors import ArtifactError
from dadeum.core.language import say

BATCH = 1000


class Entry(NamedTuple):
    """One sample: ids (int32) and weights (float32) of one length, its row, and the bytes of the trained text."""

    input_ids: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    source_row: int
    answer_bytes: int


def _schema() -> Any:
    import pyarrow

    return pyarrow.schema(
        {
            "input_ids": pyarrow.list_(pyarrow.int32()),
            "weights": pyarrow.list_(pyarrow.float32()),
            "source_row": pyarrow.int64(),
            "answer_bytes": pyarrow.int64(),
        }
    )


class SampleWriter:
    """Writes entries in the order in which they are added, a thousand at a time."""

    def __init__(self, path: Path) -> None:
        """The file is there from the start, and whole when the writer is closed."""
        import pyarrow

        self.count = 0
        self._waiting: list[Entry] = []
        self._file = pyarrow.OSFile(str(path), "wb")
        self._writer = pyarrow.ipc.new_file(self._file, _schema())

    def __enter__(self) -> "SampleWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._waiting:
            self._write()
        self._writer.close()
        self._file.close()

    def add(self, entry: Entry) -> None:
        """One more sample."""
        self.count += 1
        self._waiting.append(entry)
        if len(self._waiting) == BATCH:
            self._write()

    def _write(self) -> None:
        import pyarrow

        batch, self._waiting = self._waiting, []
        columns = [
            _lists([e.input_ids for e in batch], np.int32),
            _lists([e.weights for e in batch], np.float32),
            _array(np.array([e.source_row for e in batch], np.int64)),
            _array(np.array([e.answer_bytes for e in batch], np.int64)),
        ]
        self._writer.write_batch(pyarrow.record_batch(columns, schema=_schema()))


def write_samples(path: Path, entries: Iterable[Entry]) -> int:
    """Write the entries in order; returns how many."""
    with SampleWriter(path) as writer:
        for entry in entries:
            writer.add(entry)
    return writer.count


def _array(values: npt.NDArray[Any]) -> Any:
    """The same numbers for Arrow. By their buffer: pyarrow's own conversions from and to numpy import pandas."""
    import pyarrow

    kinds = {"int32": pyarrow.int32(), "int64": pyarrow.int64(), "float32": pyarrow.float32()}
    return pyarrow.Array.from_buffers(kinds[str(values.dtype)], len(values), [None, pyarrow.py_buffer(values)])


def _lists(arrays: list[Any], kind: Any) -> Any:
    import pyarrow

    offsets = np.concatenate([[0], np.cumsum([len(a) for a in arrays])]).astype(np.int32)
    return pyarrow.ListArray.from_arrays(_array(offsets), _array(np.concatenate(arrays).astype(kind)))


def _view(array: Any, kind: Any) -> npt.NDArray[Any]:
    """The numbers of an Arrow array, not copied."""
    buffer = array.buffers()[-1]
    if buffer is None or not buffer.size:
        return np.zeros(0, kind)
    return np.frombuffer(buffer, kind)[array.offset : array.offset + len(array)]


class Samples:
    """The samples of one part, memory-mapped: `samples[i]` copies nothing but views its pages (read-only)."""

    def __init__(self, table: Any) -> None:
        ids, weights = table.column("input_ids").chunks, table.column("weights").chunks
        self._ids = [_view(chunk.values, np.int32) for chunk in ids]
        self._weights = [_view(chunk.values, np.float32) for chunk in weights]
        self._borders = [_view(chunk.offsets, np.int32) for chunk in ids]
        self._starts = np.concatenate([[0], np.cumsum([len(chunk) for chunk in ids])]).astype(np.int64)
        self.source_rows = _numbers(table.column("source_row"))
        self.answer_bytes = _numbers(table.column("answer_bytes"))
        lengths = [np.diff(borders) for borders in self._borders]
        self.lengths: npt.NDArray[np.int64] = np.concatenate([np.zeros(0, np.int64), *lengths]).astype(np.int64)
        self._table = table  # holds the mapped pages

    @classmethod
    def open(cls, path: Path) -> "Samples":
        """Map the file. Raises ArtifactError where it is absent or damaged."""
        import pyarrow

        try:
            table = pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()
            if table.schema != _schema():
                raise pyarrow.ArrowInvalid("other columns")
        except (OSError, pyarrow.ArrowException) as error:
            reason = str(error).split("\n")[0].rstrip(".")
            raise ArtifactError(
                say(f"{path}: cannot be read as samples ({reason})", f"{path}: 샘플 파일로 읽을 수 없습니다 ({reason})")
            ) from None
        return cls(table)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Entry:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        chunk = int(np.searchsorted(self._starts, index, side="right")) - 1
        at = index - int(self._starts[chunk])
        start, end = self._borders[chunk][at : at + 2]
        return Entry(
            self._ids[chunk][start:end],
            self._weights[chunk][start:end],
            int(self.source_rows[index]),
            int(self.answer_bytes[index]),
        )

    def __iter__(self) -> Iterator[Entry]:
        return (self[i] for i in range(len(self)))


def _numbers(column: Any) -> npt.NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *(_view(chunk, np.int64) for chunk in column.chunks)])
