"""How many samples of each part say what to each head: the balance of classes, the range of numbers."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from dadeum.core.language import say
from dadeum.data.labels import Head, Labels
from dadeum.data.samples import Block
from dadeum.data.sources import PARTS, Part

Counts = npt.NDArray[np.int64]
Columns = npt.NDArray[np.float64]


class _Numbers:
    """Scores of one head in one part."""

    def __init__(self) -> None:
        self.rows, self.known, self.total, self.least, self.most = 0, 0, 0.0, math.inf, -math.inf

    def add(self, columns: Columns) -> None:
        known = columns[np.isfinite(columns)]
        if len(known):
            self.rows += int(np.isfinite(columns).any(axis=1).sum())
            self.known += len(known)
            self.total += float(known.sum())
            self.least, self.most = min(self.least, float(known.min())), max(self.most, float(known.max()))

    def facts(self) -> dict[str, Any]:
        if not self.rows:
            return {"rows": 0}
        return {"rows": self.rows, "mean": round(self.total / self.known, 6), "least": self.least, "most": self.most}


class Balance:
    """Counts of all heads in all parts."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self._counts: dict[tuple[str, Part], Counts] = {}
        self._numbers = {(head.head, part): _Numbers() for head in labels.heads for part in PARTS}

    def add(self, part: Part, block: Block) -> None:
        """Some more samples."""
        if block.targets is None or block.target_counts is None:
            return
        targets = block.targets.astype(np.float64)
        if self.labels.heads[0].kind == "words":
            self._count(self.labels.heads[0], part, targets[targets >= 0, None])
            return
        rows = targets.reshape(int((block.target_counts > 0).sum()), -1)
        at = 0
        for head in self.labels.heads:
            width = head.size if head.kind in ("classes", "numbers") else 1
            own, at = rows[:, at : at + width], at + width
            if head.kind == "numbers":
                self._numbers[head.head, part].add(own)
            else:
                self._count(head, part, own[np.isfinite(own).all(axis=1)])

    def _count(self, head: Head, part: Part, rows: Columns) -> None:
        if head.kind == "classes":
            found = rows.sum(axis=0).astype(np.int64)
        else:
            found = np.bincount(rows[:, 0].astype(np.int64), minlength=head.size)
        before = self._counts.get((head.head, part), np.zeros(0, np.int64))
        size = max(len(before), len(found))
        self._counts[head.head, part] = np.pad(before, (0, size - len(before))) + np.pad(found, (0, size - len(found)))

    def facts(self) -> dict[str, Any]:
        """What `statistics.json` says."""
        return {
            head.head: {
                "kind": head.kind,
                "column": head.column,
                "parts": {part: self._facts(head, part) for part in PARTS},
            }
            for head in self.labels.heads
        }

    def _facts(self, head: Head, part: Part) -> dict[str, Any]:
        if head.kind == "numbers":
            return self._numbers[head.head, part].facts()
        found = self._counts.get((head.head, part), np.zeros(head.size, np.int64)).tolist()
        names = head.names or [str(place) for place in range(len(found))]
        return dict(zip(names, found, strict=True))

    def unseen(self) -> Iterator[str]:
        """A sentence for each head that knows classes of which no sample is trained."""
        for head in self.labels.heads:
            if head.names is None:
                continue
            found = self._facts(head, "train")
            names = ", ".join(name for name, count in found.items() if not count)
            if names:
                yield say(
                    f"head '{head.head}': no training row is labelled {names}, so that it cannot learn to say so; add such rows, "
                    "or take the label out",
                    f"'{head.head}' 헤드: 라벨이 {names}인 학습 행이 없어 배울 수 없습니다. 그런 행을 더하거나 라벨을 빼세요",
                )
