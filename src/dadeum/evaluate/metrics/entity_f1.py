"""F1 of whole entities by seqeval's rules: `entity_f1`, `entity_precision`, `entity_recall`. Type and both ends must be right.

For names such as B-PER, I-PER, O (IOB, IOB2, IOE, IOBES). Counted are the labelled tokens: the first of each word.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Judged, Row, Sums, Value

needs: Literal["labels"] = "labels"
of = ("words",)
alone = True
per_token = False
higher_is_better = True
floored = False
unit = "0-1"
keys = {
    "entity_f1": ("F1 of whole entities", "개체 전체의 F1"),
    "entity_precision": ("share of found entities that are right", "찾은 개체 중 맞은 비율"),
    "entity_recall": ("share of true entities that are found", "실제 개체 중 찾은 비율"),
}


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


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import numpy as np

    names = ("O", "B-PS", "I-PS", "B-LC")

    def row(true: tuple[int, ...], said: tuple[int, ...]) -> Judged:
        return Judged("words", names, np.array(true, np.float64), np.eye(len(names))[list(said)])

    def want(f1: float, precision: float, recall: float) -> dict[str, float | None]:
        return {"entity_f1": f1, "entity_precision": precision, "entity_recall": recall}

    return [
        Example("all found", "모두 찾음", [row((1, 2, 0, 3), (1, 2, 0, 3))], want(1, 1, 1)),
        Example("one end wrong", "한쪽 끝이 틀림", [row((1, 2, 0), (1, 0, 0))], want(0, 0, 0)),
        Example("one of two found", "둘 중 하나 찾음", [row((1, 2, 0, 3), (1, 2, 0, 0))], want(2 / 3, 1, 0.5)),
        Example("nothing there, nothing found", "없고 찾지도 않음", [row((0, 0), (0, 0))], want(0, 0, 0)),
    ]
