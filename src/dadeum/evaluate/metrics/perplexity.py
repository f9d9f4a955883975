"""Perplexity of the reference answers, each with its end token: exp(Σ nll ÷ Σ tokens). Never the mean of batch means.

It counts tokens, so models with unlike tokenizers are not ranked by it; bits per byte ranks them.
"""

import math
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value

needs: Literal["loss"] = "loss"
per_token = True
higher_is_better = False
floored = False
unit = ""
keys = {
    "perplexity": (
        "how many tokens the model hesitates between, of the reference answers",
        "기준 답에서 모델이 망설이는 토큰 수",
    ),
}


class Settings(MemberSettings):
    """Perplexity."""

    type: Literal["perplexity"] = "perplexity"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`perplexity`."""
    rows = tuple(None if s.nll is None or not s.tokens else (s.nll, float(s.tokens)) for s in samples)
    return {"perplexity": Value(rows, "perplexity|on:answer+end|agg:exp(sum nll/sum tokens)")}


def combine(sums: Sums) -> Sums:
    """exp of the loss a token."""
    import numpy as np

    value: Sums = np.exp(sums[..., 0] / sums[..., 1])
    return value


def examples() -> Sequence[Example]:
    """Worked by hand."""
    two, whole = math.log(2), math.log(512)
    return [
        Example("certain and right", "확신하고 맞음", [Scored(nll=0.0, tokens=4)], {"perplexity": 1}),
        Example("512 tokens alike", "512개가 똑같음", [Scored(nll=5 * whole, tokens=5)], {"perplexity": 512}, 1e-6),
        # Not the mean of 2 and 4.
        Example(
            "sums, not means of rows",
            "행 평균이 아니라 합",
            [Scored(nll=two, tokens=1), Scored(nll=6 * two, tokens=3)],
            {"perplexity": 2 ** (7 / 4)},
        ),
        Example("not weighed", "재지 않음", [Scored("네", "네")], {"perplexity": None}),
    ]
