"""Samples on disk: an Arrow file, read through the page cache, never as a whole."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dadeum.core.errors import ArtifactError
from dadeum.core.language import say

BATCH = 1000


NONE = np.zeros(0, np.float32)


class Entry(NamedTuple):
    """One sample: ids (int32) and weights (float32) of one length, its row, and the bytes of the trained text.

    `targets` are the numbers that a head learns (float32). A unit of several sequences (a pair of answers, some choices)
    has them end to end; `cuts` are where the second and all later ones begin.
    """

    input_ids: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    source_row: int
    answer_bytes: int
    targets: npt.NDArray[np.float32] = NONE
    cuts: tuple[int, ...] = ()

    @property
    def sequences(self) -> list[tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]]:
        """Ids and weights of each sequence."""
        borders = (0, *self.cuts, len(self.input_ids))
        return [(self.input_ids[a:b], self.weights[a:b]) for a, b in itertools.pairwise(borders)]


def _schema(more: bool = False) -> Any:
    """`more`: with the columns of heads and of units."""
    import pyarrow

    columns = {
        "input_ids": pyarrow.list_(pyarrow.int32()),
        "weights": pyarrow.list_(pyarrow.float32()),
        "source_row": pyarrow.int64(),
        "answer_bytes": pyarrow.int64(),
    }
    if more:
        columns |= {"targets": pyarrow.list_(pyarrow.float32()), "sequences": pyarrow.int32()}
    return pyarrow.schema(columns)


class Block(NamedTuple):
    """Samples end to end: ids, weights; of each sample its length, its row, and the bytes of the trained text.

    Where there is a head or a unit: the targets end to end and how many each sample has, and of how many sequences the
    unit is that a sample begins (0 where it goes on with one).
    """

    input_ids: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]
    lengths: npt.NDArray[np.int32]
    source_rows: npt.NDArray[np.int64]
    answer_bytes: npt.NDArray[np.int64]
    targets: npt.NDArray[np.float32] | None = None
    target_counts: npt.NDArray[np.int32] | None = None
    sequences: npt.NDArray[np.int32] | None = None


class SampleWriter:
    """Writes samples in the order in which they are added, a thousand at a time."""

    def __init__(self, path: Path, *, more: bool = False) -> None:
        """The file is there from the start, and whole when the writer is closed. `more`: blocks have targets and units."""
        import pyarrow

        self._waiting: list[Block] = []
        self._count = 0  # of what waits
        self._more = more
        self._file = pyarrow.OSFile(str(path), "wb")
        self._writer = pyarrow.ipc.new_file(self._file, _schema(more))

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
        whole = Block(*(_joined(column) for column in zip(*self._waiting, strict=True)))
        ends = np.concatenate([[0], np.cumsum(whole.lengths)])
        last = np.concatenate([[0], np.cumsum(whole.target_counts)]) if whole.target_counts is not None else None
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
            if self._more:
                assert last is not None and whole.targets is not None and whole.sequences is not None
                offsets = _array((last[at : to + 1] - last[at]).astype(np.int32))
                columns.append(pyarrow.ListArray.from_arrays(offsets, _array(whole.targets[last[at] : last[to]])))
                columns.append(_array(whole.sequences[at:to]))
            self._writer.write_batch(pyarrow.record_batch(columns, schema=_schema(self._more)))
            at = to
        begin = int(ends[at])
        rest: list[Any] = [whole.lengths[at:], whole.source_rows[at:], whole.answer_bytes[at:]]
        if last is not None:
            assert whole.targets is not None and whole.target_counts is not None and whole.sequences is not None
            rest += [whole.targets[int(last[at]) :], whole.target_counts[at:], whole.sequences[at:]]
        self._waiting = [Block(whole.input_ids[begin:], whole.weights[begin:], *rest)]
        self._count -= at


def _joined(column: Any) -> Any:
    return None if column[0] is None else np.concatenate(column)


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
        each = np.concatenate([np.zeros(0, np.int64), *lengths]).astype(np.int64)
        self.longest = int(each.max(initial=0))  # sequence
        self.shortest = int(each.min(initial=self.longest))
        self._targets: list[npt.NDArray[np.float32]] = []
        first = np.arange(len(each), dtype=np.int64)
        if "sequences" in table.column_names:
            targets = table.column("targets").chunks
            self._targets = [_view(chunk.values, np.float32) for chunk in targets]
            self._target_borders = [_view(chunk.offsets, np.int32) for chunk in targets]
            first = np.flatnonzero(_numbers(table.column("sequences"), np.int32)).astype(np.int64)
        # Of each unit its first sequence; one more at the end.
        self._units = np.append(first, len(each))
        self.several = len(first) < len(each)  # whether samples have more than one sequence
        self.source_rows = self.source_rows[first]
        self.answer_bytes = _per_unit(self.answer_bytes, first)
        self.lengths: npt.NDArray[np.int64] = _per_unit(each, first)
        self._table = table  # holds the mapped pages

    @classmethod
    def open(cls, path: Path) -> "Samples":
        """Map the file. Raises ArtifactError where it is absent or damaged."""
        import pyarrow

        try:
            table = pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()
            if table.schema not in (_schema(), _schema(more=True)):
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
        first, after = int(self._units[index]), int(self._units[index + 1])
        ids, weights, targets = self._sequence(first)
        facts = (int(self.source_rows[index]), int(self.answer_bytes[index]))
        if after == first + 1:
            return Entry(ids, weights, *facts, targets)
        rest = [self._sequence(number) for number in range(first + 1, after)]
        cuts = np.cumsum([len(ids), *(len(other) for other, _, _ in rest[:-1])])
        ids = np.concatenate([ids, *(other for other, _, _ in rest)])
        weights = np.concatenate([weights, *(other for _, other, _ in rest)])
        return Entry(ids, weights, *facts, targets, tuple(int(cut) for cut in cuts))

    def _sequence(self, number: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        chunk = int(np.searchsorted(self._starts, number, side="right")) - 1
        at = number - int(self._starts[chunk])
        start, end = self._borders[chunk][at : at + 2]
        targets = NONE
        if self._targets:
            begin, stop = self._target_borders[chunk][at : at + 2]
            targets = self._targets[chunk][begin:stop]
        return self._ids[chunk][start:end], self._weights[chunk][start:end], targets

    def __iter__(self) -> Iterator[Entry]:
        return (self[i] for i in range(len(self)))


def _numbers(column: Any, kind: Any = np.int64) -> npt.NDArray[np.int64]:
    return np.concatenate([np.zeros(0, kind), *(_view(chunk, kind) for chunk in column.chunks)])


def _per_unit(values: npt.NDArray[np.int64], first: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Sums over the sequences of each unit."""
    return values if len(first) == len(values) else np.add.reduceat(values, first)
