"""exp of all nll over all tokens, never a mean of rows."""

import math

import numpy as np
import pytest

from dadeum.evaluate.metrics import Scored, perplexity


def test_ratio_of_sums() -> None:
    samples = [Scored(nll=2.0, tokens=1, bytes=3), Scored(nll=9.0, tokens=10, bytes=30), Scored()]
    value = perplexity.score(perplexity.Settings(), samples)["perplexity"]
    assert value.n == 2
    rows = np.array([row for row in value.rows if row])
    assert perplexity.combine(rows.sum(axis=0)) == pytest.approx(math.exp(11 / 11))
    assert perplexity.combine(rows) == pytest.approx([math.exp(2), math.exp(0.9)])
    assert not perplexity.higher_is_better and perplexity.per_token
