"""Area under the ROC curve: how likely a row of the class gets a higher probability than one of another; ties count half.

Of several classes the mean over those that some rows have and some have not, each against the rest.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Judged, Row, Sums, Value

needs: Literal["labels"] = "labels"
of = ("class", "classes")
alone = False
per_token = False
higher_is_better = True
unit = "0-1"


class Settings(MemberSettings):
    """Area under the ROC curve."""

    type: Literal["auroc"] = "auroc"


def score(settings: Settings, samples: Sequence[Judged]) -> dict[str, Value]:
    """`auroc`; of each class its probability and whether it is true."""
    import numpy as np

    from dadeum.evaluate.judging import known

    rows: list[Row | None] = []
    for one in samples:
        if not known(one):
            rows.append(None)
            continue
        true = one.truth if one.kind == "classes" else np.eye(len(one.names))[int(one.truth[0])]
        rows.append((*one.said.tolist(), *true.tolist()))
    whole = np.array([row for row in rows if row is not None])
    if not len(whole) or not np.isfinite(value(whole, np.ones((1, len(whole))))).all():
        rows = [None] * len(rows)
    return {"auroc": Value(tuple(rows), "auroc|avg:macro one against the rest|ties:half")}


def value(rows: Sums, times: Sums) -> Sums:
    """The mean over classes."""
    import numpy as np

    from dadeum.evaluate.judging import mean

    size = rows.shape[1] // 2
    return mean(np.stack([_area(rows[:, c], rows[:, size + c], times) for c in range(size)], axis=-1))


def _area(probability: Sums, true: Sums, times: Sums) -> Sums:
    """Rows of one probability stand together: those of the class that stand above others, and half of those beside."""
    import numpy as np

    order = np.argsort(probability, kind="stable")
    begins = np.flatnonzero(np.diff(probability[order], prepend=-np.inf))
    with_it = np.add.reduceat((times * true)[:, order], begins, axis=1)
    without = np.add.reduceat((times * (1 - true))[:, order], begins, axis=1)
    below = np.cumsum(without, axis=1) - without
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Sums = (with_it * (below + without / 2)).sum(axis=1) / (with_it.sum(axis=1) * without.sum(axis=1))
    return found
