"""Share of answers that ended by themselves, and were not cut by `evaluate.max_new_tokens` or the end of the context."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
floored = False
unit = "0-1"
keys = {"stop_rate": ("share of answers that ended by themselves", "스스로 끝낸 답의 비율")}


class Settings(MemberSettings):
    """Stop rate."""

    type: Literal["stop_rate"] = "stop_rate"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`stop_rate`."""
    rows = tuple(None if one.stopped is None else (float(one.stopped), 1.0) for one in samples)
    return {"stop_rate": Value(rows, "stop_rate|agg:mean")}


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean


def examples() -> Sequence[Example]:
    """Worked by hand."""
    ended, cut = Scored("네", stopped=True), Scored("네 네 네", stopped=False)
    return [
        Example("all ended", "모두 끝냄", [ended, ended], {"stop_rate": 1}),
        Example("all were cut", "모두 잘림", [cut], {"stop_rate": 0}),
        Example("three of four", "넷 중 셋", [ended, cut, ended, ended], {"stop_rate": 0.75}),
        Example("nothing was generated", "생성하지 않음", [Scored(reference="네")], {"stop_rate": None}),
    ]
