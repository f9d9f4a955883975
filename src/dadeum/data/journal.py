"""What the format stage has made so far, kept beside its artifact until that is whole: after a stop it goes on there.

Chunks are written many at a time, each file under a name that holds its hash: what is damaged, and all behind it, is made
again. What is read back goes through the same account as what is made.
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dadeum.core.errors import DataError
from dadeum.data.samples import Block
from dadeum.data.seen import Asked, First, Found, Seen, Suspect
from dadeum.data.shape import Overlong, Shaped
from dadeum.data.sources import PARTS

# Of a file: some seconds of work.
EVERY, ROOM = 200, 1 << 26  # chunks, and bytes of samples
NAME = ".going-"
FORGOTTEN_AFTER = 24 * 3600.0  # seconds
HASH = 16
Tensors = dict[str, Any]


class Journal:
    """The chunks of one stage, in the order of the rows."""

    def __init__(self, processed: Path, fingerprint: str) -> None:
        """Journals that nobody went on with for a day are cleared away."""
        self.folder = processed / f"{NAME}{fingerprint}"
        self.files = 0
        self._waiting: list[Shaped] = []
        self._bytes = 0
        for other in processed.glob(f"{NAME}*"):
            if other != self.folder and time.time() - other.stat().st_mtime > FORGOTTEN_AFTER:
                shutil.rmtree(other, ignore_errors=True)

    def stored(self) -> Iterator[Shaped]:
        """What was made before the stop."""
        while (found := self._read(self.files)) is not None:
            self.files += 1
            yield from found

    def add(self, shaped: Shaped) -> None:
        """One chunk more."""
        self._waiting.append(shaped)
        self._bytes += sum(block.input_ids.nbytes + block.weights.nbytes for block in shaped.blocks.values())
        if len(self._waiting) == EVERY or self._bytes >= ROOM:
            self._write()

    @contextlib.contextmanager
    def until_done(self) -> Iterator[None]:
        """It goes when the artifact is whole, or will not be for what is in the data; a stop leaves it."""
        try:
            yield
        except DataError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        from safetensors.numpy import save

        tensors: Tensors = {}
        said = [_told(shaped, f"{number}.", tensors) for number, shaped in enumerate(self._waiting)]
        data = save(tensors, {"chunks": json.dumps(said, ensure_ascii=False)})
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self.folder / f"{self.files:06}-{hashlib.sha256(data).hexdigest()[:HASH]}.safetensors"
        aside = place.with_name(f"{place.name}.{os.getpid()}")
        aside.write_bytes(data)
        aside.replace(place)
        self.files += 1
        self._waiting, self._bytes = [], 0

    def _read(self, number: int) -> list[Shaped] | None:
        from safetensors.numpy import load

        for place in sorted(self.folder.glob(f"{number:06}-*.safetensors")):
            data = place.read_bytes()
            if place.stem.endswith(f"-{hashlib.sha256(data).hexdigest()[:HASH]}"):
                size = int.from_bytes(data[:8], "little")
                said = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["chunks"])
                tensors = load(data)
                return [_shaped(one, f"{i}.", tensors) for i, one in enumerate(said)]
        return None


def _told(shaped: Shaped, name: str, tensors: Tensors) -> dict[str, Any]:
    for part, block in shaped.blocks.items():
        tensors |= {f"{name}{part}.{column}": array for column, array in block._asdict().items() if array is not None}
    seen = shaped.seen
    for of, prompts in seen.prompts.items():
        if prompts:
            tensors[f"{name}{of}.prompts"] = np.concatenate([hashes for hashes, _ in prompts])
            tensors[f"{name}{of}.prompt_rows"] = np.concatenate([rows for _, rows in prompts])
    for number, asked in enumerate(seen.asked):
        tensors[f"{name}asked.{number}"] = asked.ids
    return {
        "rows": shaped.rows,
        "kept": shaped.kept,
        "dropped": shaped.dropped,
        "questions": shaped.questions,
        "overlong": shaped.overlong,
        "marks": shaped.marks,
        "seen": {
            "counts": [seen.rows, seen.samples, seen.answers, seen.lost, seen.longest, seen.talks],
            "heads": list(seen.heads.items()),
            "found": {condition: [found.rows, found.first] for condition, found in seen.found.items()},
            "asked": [[asked.first, asked.row] for asked in seen.asked],
            "suspects": [[key, s.first, s.row, sorted(s.control.items()), s.rows] for key, s in seen.suspects.items()],
        },
    }


def _shaped(told: dict[str, Any], name: str, tensors: Tensors) -> Shaped:
    parts = [part for part in PARTS if f"{name}{part}.input_ids" in tensors]
    columns: dict[str, list[Any]] = {
        part: [tensors.get(f"{name}{part}.{column}") for column in Block._fields] for part in parts
    }
    blocks = {part: Block(*columns[part]) for part in parts}
    said = told["seen"]
    seen = Seen(*said["counts"])
    seen.heads = {head: First(*first) for head, first in said["heads"]}
    seen.found = {condition: Found(rows, _first(first)) for condition, (rows, first) in said["found"].items()}
    for number, (first, row) in enumerate(said["asked"]):
        seen.asked.append(Asked(First(*first), row, tensors[f"{name}asked.{number}"]))
    for key, first, row, control, rows in said["suspects"]:
        seen.suspects[key] = Suspect(First(*first), row, Counter(dict(control)), rows)
    for part in PARTS:
        if f"{name}{part}.prompts" in tensors:
            seen.prompts[part].append((tensors[f"{name}{part}.prompts"], tensors[f"{name}{part}.prompt_rows"]))
    kept, overlong = told["kept"], Overlong(*told["overlong"])
    return Shaped(told["rows"], blocks, kept, told["dropped"], told["questions"], overlong, told["marks"], seen)


def _first(first: list[Any] | None) -> First | None:
    return None if first is None else First(*first)
