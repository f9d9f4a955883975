"""F1 of classes: `f1_macro`, the mean over the classes that occur or are said, and `f1_micro`, of all counts together.

A row of statistics holds for each class: rightly said, said, true. Of `f1_micro` it holds these for all classes at once.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Judged, Row, Sums, Value

needs: Literal["labels"] = "labels"
of = ("class", "classes", "words")
alone = True
per_token = False
higher_is_better = True
floored = False
unit = "0-1"
keys = {
    "f1_macro": ("F1 of each class, then their mean", "클래스별 F1의 평균"),
    "f1_micro": ("F1 of all counts together", "모든 수를 합친 F1"),
}


class Settings(MemberSettings):
    """F1, macro and micro."""

    type: Literal["f1"] = "f1"


def score(settings: Settings, samples: Sequence[Judged]) -> dict[str, Value]:
    """`f1_macro`, `f1_micro`."""
    import numpy as np

    from dadeum.evaluate.judging import decided, known

    macro: list[Row | None] = []
    micro: list[Row | None] = []
    for one in samples:
        if not known(one):
            macro.append(None)
            micro.append(None)
            continue
        said, true = decided(one), one.truth
        if one.kind == "classes":
            counts = np.stack([said * true, said, true])
        else:
            size = len(one.names)
            counts = np.stack(
                [np.bincount(ids.astype(np.int64), minlength=size) for ids in (said[said == true], said, true)]
            )
        macro.append(tuple(counts.T.ravel().astype(np.float64).tolist()))
        micro.append(tuple(counts.sum(axis=1).astype(np.float64).tolist()))
    return {
        "f1_macro": Value(tuple(macro), "f1|avg:macro|of:classes that occur or are said"),
        "f1_micro": Value(tuple(micro), "f1|avg:micro"),
    }


def combine(sums: Sums) -> Sums:
    """The mean over classes of 2 × right ÷ (said + true); where there is none, nothing was wrong and nothing right: 0."""
    import numpy as np

    right, said, true = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 3), -1, 0)
    there = said + true > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(there, 2 * right / (said + true), 0.0)
    found: Sums = each.sum(axis=-1) / np.maximum(there.sum(axis=-1), 1)
    return found


def examples() -> Sequence[Example]:
    """Worked by hand."""
    import numpy as np

    def rows(true: str, said: str) -> list[Judged]:
        return [
            Judged("class", ("a", "b"), np.array([float("ab".index(t))]), np.eye(2)["ab".index(s)])
            for t, s in zip(true, said, strict=True)
        ]

    return [
        Example("all right", "모두 맞음", rows("aab", "aab"), {"f1_macro": 1, "f1_micro": 1}),
        Example("all wrong", "모두 틀림", rows("aab", "bba"), {"f1_macro": 0, "f1_micro": 0}),
        # a: 2 right, 2 said, 3 true; b: 1 right, 2 said, 1 true
        Example(
            "aaab said aabb", "aaab를 aabb로", rows("aaab", "aabb"), {"f1_macro": (4 / 5 + 2 / 3) / 2, "f1_micro": 0.75}
        ),
    ]
