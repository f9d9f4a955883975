"""F1 of whole entities by seqeval's rules: `entity_f1`, `entity_precision`, `entity_recall`. Type and both ends must be right.

For names such as B-PER, I-PER, O (IOB, IOB2, IOE, IOBES). Counted are the labelled tokens: the first of each word.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Judged, Row, Sums, Value

needs: Literal["labels"] = "labels"
of = ("words",)
alone = True
per_token = False
higher_is_better = True
unit = "0-1"


class Settings(MemberSettings):
    """Entity F1."""

    type: Literal["entity_f1"] = "entity_f1"


def score(settings: Settings, samples: Sequence[Judged]) -> dict[str, Value]:
    """Of each row: rightly found, found, true, and once more, as each of the three reads them."""
    from dadeum.evaluate.entities import entities
    from dadeum.evaluate.judging import decided

    whole: list[tuple[float, float, float]] = []
    for one in samples:
        found, true = (entities([one.names[int(i)] for i in ids]) for ids in (decided(one), one.truth))
        whole.append((float(len(found & true)), float(len(found)), float(len(true))))
    rows: dict[str, tuple[Row | None, ...]] = {
        "entity_f1": tuple((2 * right, found + true) for right, found, true in whole),
        "entity_precision": tuple((right, found) for right, found, _ in whole),
        "entity_recall": tuple((right, true) for right, _, true in whole),
    }
    return {name: Value(of_rows, f"{name}|seqeval 1.2.2 default|agg:micro") for name, of_rows in rows.items()}


def combine(sums: Sums) -> Sums:
    """The quotient; 0 where there is nothing."""
    import numpy as np

    found: Sums = sums[..., 0] / np.maximum(sums[..., 1], 1.0)
    return found
