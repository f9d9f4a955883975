"""Samples on disk: an Arrow file, read through the page cache, never as a whole."""

from collections.abc import Iterator
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


class Block(NamedTuple):
    """Samples end to end: ids, weights; of each sample its length, its row, and the bytes of the trained text."""

    input_ids: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    lengths: npt.NDArray[np.int32]
    source_rows: npt.NDArray[np.int64]
    answer_bytes: npt.NDArray[np.int64]


class SampleWriter:
    """Writes samples in the order in which they are added, a thousand at a time."""

    def __init__(self, path: Path) -> None:
        """The file is there from the start, and whole when the writer is closed."""
        import pyarrow

        self._waiting: list[Block] = []
        self._count = 0  # of what waits
        self._file = pyarrow.OSFile(str(path), "wb")
        self._writer = pyarrow.ipc.new_file(self._file, _schema())

    def __enter__(self) -> "SampleWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._write(1)
        self._writer.close()
        self._file.close()

    def add(self, block: Block) -> None:
        """Some more samples."""
        self._waiting.append(block)
        self._count += len(block.lengths)
        self._write(BATCH)

    def _write(self, least: int) -> None:
        """Write what waits in batches, as long as there is at least so much."""
        import pyarrow

        if self._count < least:
            return
        whole = Block(*(np.concatenate(column) for column in zip(*self._waiting, strict=True)))
        ends = np.concatenate([[0], np.cumsum(whole.lengths)])
        at = 0
        while self._count - at >= least:
            to = min(at + BATCH, self._count)
            begin, end = int(ends[at]), int(ends[to])
            offsets = _array((ends[at : to + 1] - begin).astype(np.int32))
            columns = [
                pyarrow.ListArray.from_arrays(offsets, _array(whole.input_ids[begin:end])),
                pyarrow.ListArray.from_arrays(offsets, _array(whole.weights[begin:end])),
                _array(whole.source_rows[at:to]),
                _array(whole.answer_bytes[at:to]),
            ]
            self._writer.write_batch(pyarrow.record_batch(columns, schema=_schema()))
            at = to
        begin = int(ends[at])
        rest = (whole.lengths[at:], whole.source_rows[at:], whole.answer_bytes[at:])
        self._waiting = [Block(whole.input_ids[begin:], whole.weights[begin:], *rest)]
        self._count -= at


def _array(values: npt.NDArray[Any]) -> Any:
    """The same numbers for Arrow. By their buffer: pyarrow's own conversions from and to numpy import pandas."""
    import pyarrow

    kinds = {"int32": pyarrow.int32(), "int64": pyarrow.int64(), "float32": pyarrow.float32()}
    return pyarrow.Array.from_buffers(kinds[str(values.dtype)], len(values), [None, pyarrow.py_buffer(values)])


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
