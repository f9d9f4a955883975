"""Share of answers equal to the reference, after NFC and with runs of blanks as one."""

import unicodedata
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Scored, Sums, Value, text_rows

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
unit = "0-1"


class Settings(MemberSettings):
    """Exact match."""

    type: Literal["exact_match"] = "exact_match"


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`exact_match`."""
    pairs = text_rows(samples)
    rows = tuple(None if p is None else (float(_normal(p[0]) == _normal(p[1]) != ""), 1.0) for p in pairs)
    return {"exact_match": Value(rows, "exact_match|case:mixed|norm:NFC+blanks|agg:mean")}


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean
