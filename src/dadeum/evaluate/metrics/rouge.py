"""ROUGE-1/2/L by Korean morphemes: `rouge1`, `rouge2`, `rougeL`, from 0 to 1.

Two unrelated Korean answers share particles and endings and reach 0.14 to 0.29 in ROUGE-1: read it beside the floor.
"""

import importlib.metadata
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Scored, Sums, Value

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
unit = "0-1"


class Settings(MemberSettings):
    """ROUGE by morphemes (kiwipiepy)."""

    type: Literal["rouge"] = "rouge"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`rouge1`, `rouge2`, `rougeL`."""
    from dadeum.evaluate.overlap import morphemes, rouge

    cut = f"kiwi-{importlib.metadata.version('kiwipiepy')}-model-{importlib.metadata.version('kiwipiepy_model')}"
    return rouge(samples, morphemes, "", f"{cut}-no-punctuation")


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean
