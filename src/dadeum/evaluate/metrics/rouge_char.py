"""ROUGE-1/2/L by characters without blanks: `rouge1_char`, `rouge2_char`, `rougeL_char`, from 0 to 1. Spacing does not count."""

from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Scored, Sums, Value

needs: Literal["answer"] = "answer"
per_token = False
higher_is_better = True
unit = "0-1"


class Settings(MemberSettings):
    """ROUGE by characters."""

    type: Literal["rouge_char"] = "rouge_char"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`rouge1_char`, `rouge2_char`, `rougeL_char`."""
    from dadeum.evaluate.overlap import characters, rouge

    return rouge(samples, characters, "_char", "characters-no-blanks")


def combine(sums: Sums) -> Sums:
    """The mean."""
    mean: Sums = sums[..., 0] / sums[..., 1]
    return mean
