"""Bits a byte of the reference answers: Σ nll ÷ ln 2 ÷ Σ UTF-8 bytes of the NFC answers.

The end token's nll counts, its bytes do not: it has none. Comparable between models with unlike tokenizers.
"""

import math
from collections.abc import Sequence
from typing import Literal

from dadeum.core.settings import MemberSettings
from dadeum.evaluate.metrics import Example, Scored, Sums, Value

needs: Literal["loss"] = "loss"
per_token = False
higher_is_better = False
floored = False
unit = "bits/byte"
keys = {
    "bits_per_byte": (
        "bits that a byte of the reference answers costs; compares any tokenizers",
        "기준 답 1바이트의 비트 수. 토크나이저가 달라도 비교됨",
    ),
}


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


def examples() -> Sequence[Example]:
    """Worked by hand."""
    bit = math.log(2)
    return [
        Example("certain and right", "확신하고 맞음", [Scored(nll=0.0, tokens=1, bytes=3)], {"bits_per_byte": 0}),
        Example(
            "guessed byte by byte", "바이트마다 찍음", [Scored(nll=24 * bit, tokens=4, bytes=3)], {"bits_per_byte": 8}
        ),
        Example(
            "sums, not means of rows",
            "행 평균이 아니라 합",
            [Scored(nll=3 * bit, tokens=1, bytes=3), Scored(nll=6 * bit, tokens=9, bytes=1)],
            {"bits_per_byte": 9 / 4},
        ),
        Example("no bytes", "글자 없음", [Scored(nll=1.0, tokens=1, bytes=0)], {"bits_per_byte": None}),
    ]
