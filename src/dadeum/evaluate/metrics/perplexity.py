"""Perplexity of the reference answers, each with its end token: exp(Σ nll ÷ Σ tokens). Never the mean of batch means.

It counts tokens, so models with unlike tokenizers are not ranked by it; bits per byte ranks them.
"""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Scored, Sums, Value

needs: Literal["loss"] = "loss"
per_token = True
higher_is_better = False
unit = ""


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
