"""Bits a byte of the reference answers: Σ nll ÷ ln 2 ÷ Σ UTF-8 bytes of the NFC answers.

The end token's nll counts, its bytes do not: it has none. Comparable between models with unlike tokenizers.
"""

import math
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Scored, Sums, Value

needs: Literal["loss"] = "loss"
per_token = False
higher_is_better = False
unit = "bits/byte"


class Settings(MemberSettings):
    """Bits per byte."""

    type: Literal["bits_per_byte"] = "bits_per_byte"


def score(settings: Settings, samples: Sequence[Scored]) -> dict[str, Value]:
    """`bits_per_byte`."""
    rows = tuple(None if s.nll is None or not s.bytes else (s.nll, float(s.bytes)) for s in samples)
    return {"bits_per_byte": Value(rows, "bits_per_byte|on:answer+end|bytes:utf-8 NFC answer|agg:sum/sum")}


def combine(sums: Sums) -> Sums:
    """Nats to bits, over bytes."""
    value: Sums = sums[..., 0] / (math.log(2) * sums[..., 1])
    return value
