"""Texts by their runs of characters, and which of them a row holds most of."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np

from dadeum.data.filters._grams import grams, squeezed, whole


class Texts:
    """Measured texts: each run with the texts that it stands in."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.wheres: list[str] = []
        self._sizes = array("q")
        self._runs = bytearray()
        self._texts = bytearray()
        self._sorted: tuple[np.ndarray, np.ndarray] | None = None

    def add(self, where: str, text: str) -> None:
        """One more text; one without a letter to compare is left out."""
        plain = squeezed(text)
        found = grams(plain, self.n) if len(plain) >= self.n else whole(plain)
        if not len(found):
            return
        self._runs += found.tobytes()
        self._texts += np.full(len(found), len(self.wheres), np.uint32).tobytes()
        self._sizes.append(len(found))
        self.wheres.append(where)
        self._sorted = None

    def _index(self) -> tuple[np.ndarray, np.ndarray]:
        """Runs in order, and the text of each."""
        if self._sorted is None:
            runs, texts = np.frombuffer(self._runs, np.uint64), np.frombuffer(self._texts, np.uint32)
            order = np.argsort(runs, kind="stable")
            self._sorted = runs[order], texts[order]
        return self._sorted

    def most(self, text: str, parts: Iterable[str]) -> tuple[str, float] | None:
        """Where the text was read of which the row holds the largest share, and that share.

        `text` is all of the row; a short measured text is found where it is one of the `parts`.
        """
        runs, texts = self._index()
        if not len(runs):
            return None
        plain = squeezed(text)
        wanted = [whole(squeezed(part)) for part in parts]
        if len(plain) >= self.n:
            wanted.append(grams(plain, self.n))
        found = np.unique(np.concatenate(wanted))
        first, last = np.searchsorted(runs, found, "left"), np.searchsorted(runs, found, "right")
        hit = last > first
        if not hit.any():
            return None
        held, counts = np.unique(
            np.concatenate([texts[a:b] for a, b in zip(first[hit], last[hit], strict=True)]), return_counts=True
        )
        shares = counts / np.frombuffer(self._sizes, np.int64)[held]
        best = int(shares.argmax())
        return self.wheres[held[best]], float(shares[best])
