"""Nats to bits over bytes; comparable between tokenizers."""

import math

import numpy as np
import pytest

from dadeum.evaluate.metrics import Scored, bits_per_byte


def test_ratio_of_sums() -> None:
    samples = [
        Scored(nll=3 * math.log(2), tokens=1, bytes=3),
        Scored(nll=27 * math.log(2), tokens=9, bytes=27),
        Scored(nll=1.0, tokens=1, bytes=0),
    ]
    value = bits_per_byte.score(bits_per_byte.Settings(), samples)["bits_per_byte"]
    assert value.n == 2
    rows = np.array([row for row in value.rows if row])
    assert bits_per_byte.combine(rows.sum(axis=0)) == pytest.approx(1.0)
    assert not bits_per_byte.per_token and not bits_per_byte.higher_is_better
