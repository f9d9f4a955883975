"""Near duplicates: MinHash of runs of characters, by datasketch; candidates by bands, in arrays.

A row costs 512 bytes while rows are read (128 numbers of 4 bytes, and an eighth more where the buffer grows), and some
40 more while they are compared. datasketch's own index of bands would cost several KiB.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dadeum.data.filters._grams import Grams, grams, squeezed

NUMBERS = 128
SEED = 1
# Runs whose hashes are made at once: 4 MiB.
AT_ONCE = 8192
# Pairs that are compared at once: 32 MiB.
PAIRS = 32768
# A pair of just this similarity is found with at least this chance.
SURE = 0.99


def bands(threshold: float) -> tuple[int, int]:
    """(how many, numbers in each): the longest that still find a pair of this similarity."""
    sizes = range(NUMBERS, 0, -1)
    fits = (size for size in sizes if 1 - (1 - threshold**size) ** (NUMBERS // size) >= SURE)
    size = next(fits, 1)
    return NUMBERS // size, size


class Sketches:
    """The MinHash of each row, in the order of rows."""

    def __init__(self, shingle: int) -> None:
        from datasketch import MinHash

        self.shingle = shingle
        self._sketch = MinHash(num_perm=NUMBERS, seed=SEED, hashfunc=int)
        self._bytes = bytearray()

    def add(self, text: str) -> None:
        """The next row."""
        self._sketch.clear()
        found: Grams = grams(squeezed(text), self.shingle) >> np.uint64(32)
        for at in range(0, len(found), AT_ONCE):
            self._sketch.update_batch(found[at : at + AT_ONCE].tolist())
        self._bytes += self._sketch.hashvalues.astype("<u4").tobytes()

    @property
    def rows(self) -> npt.NDArray[np.uint32]:
        """A row of numbers each."""
        return np.frombuffer(self._bytes, np.dtype("<u4")).reshape(-1, NUMBERS)

    def doubles(self, rank: npt.NDArray[np.int8], threshold: float) -> dict[int, int]:
        """Rows that are near to one that stays, and to which; of such rows the first by rank and place stays."""
        turn = np.empty(len(rank), np.int64)
        turn[np.lexsort((np.arange(len(rank)), rank))] = np.arange(len(rank))
        near: dict[int, set[int]] = defaultdict(set)
        for later, earlier in self._pairs(turn, threshold):
            near[later].add(earlier)
        gone: dict[int, int] = {}
        for row in sorted(near, key=lambda r: int(turn[r])):
            stay = [other for other in near[row] if other not in gone]
            if stay:
                gone[row] = min(stay, key=lambda r: int(turn[r]))
        return gone

    def _pairs(self, turn: npt.NDArray[np.int64], threshold: float) -> Iterator[tuple[int, int]]:
        """(later, earlier): in each band, a row with the first of its kind and with the one before it."""
        count, size = bands(threshold)
        rows = self.rows
        for band in range(count):
            part = rows[:, band * size : (band + 1) * size]
            key = np.zeros(len(rows), np.uint64)
            for column in part.T:
                key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
                key ^= key >> np.uint64(29)
            order = np.lexsort((turn, key))
            same = key[order][1:] == key[order][:-1]
            at = np.flatnonzero(same) + 1  # places in the order whose row has one of its kind before it
            starts = np.maximum.accumulate(np.where(np.concatenate([[False], same]), 0, np.arange(len(order))))
            firsts, befores = order[starts[at]], order[at - 1]
            differ = firsts != befores
            later = np.concatenate([order[at], order[at][differ]])
            earlier = np.concatenate([firsts, befores[differ]])
            for begin in range(0, len(later), PAIRS):
                left, right = later[begin : begin + PAIRS], earlier[begin : begin + PAIRS]
                alike = (rows[left] == rows[right]).mean(axis=1) >= threshold
                yield from zip(left[alike].tolist(), right[alike].tolist(), strict=True)
