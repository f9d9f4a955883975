"""Area under the ROC curve: how likely a row of the class gets a higher probability than one of another; ties count half.

Of several classes the mean over those that some rows have and some have not, each against the rest.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Judged, Row, Sums, Value

needs: Literal["labels"] = "labels"
of = ("class", "classes")
alone = False
per_token = False
higher_is_better = True
floored = False
unit = "0-1"
keys = {
    "auroc": (
        "how likely a row of the class stands above one of another",
        "그 클래스의 행이 다른 행보다 높은 점수를 받을 확률",
    ),
}


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


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import numpy as np

    def rows(*pairs: tuple[int, float]) -> list[Judged]:
        return [Judged("class", ("아님", "맞음"), np.array([float(true)]), np.array([1 - p, p])) for true, p in pairs]

    return [
        Example("all above", "모두 위", rows((0, 0.1), (0, 0.2), (1, 0.3)), {"auroc": 1}),
        Example("all below", "모두 아래", rows((0, 0.9), (1, 0.3), (1, 0.2)), {"auroc": 0}),
        Example("three pairs of four", "네 쌍 중 셋", rows((0, 0.1), (0, 0.4), (1, 0.3), (1, 0.5)), {"auroc": 0.75}),
        Example("ties count half", "같으면 절반", rows((0, 0.5), (1, 0.5)), {"auroc": 0.5}),
        Example("one class alone", "한 클래스뿐", rows((1, 0.5), (1, 0.6)), {"auroc": None}),
    ]
