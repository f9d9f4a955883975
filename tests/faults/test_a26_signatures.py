"""A26: scores of unlike tokenisations are compared as if they were one metric."""

import copy
from pathlib import Path

import numpy as np
import pytest
from sacrebleu.metrics import CHRF

from dadeum.core.errors import ArtifactError
from dadeum.evaluate.compare import compare
from dadeum.evaluate.metrics import METRICS, Scored
from tests.evaluate.support import evaluated, rows_in
from tests.generate.support import opened, save_small


def test_short_korean_is_perfect_with_itself() -> None:
    """torchmetrics' chrF gives '네' with itself 0.167."""
    member = METRICS.member("chrf")
    for text in ("네", "네.", "그래요"):
        row = member.score(member.Settings(), [Scored(text, text)])["chrf"].rows[0]
        assert float(member.combine(np.array(row))) == pytest.approx(100.0)


def test_every_metric_carries_a_signature(tmp_path: Path) -> None:
    found = evaluated(opened(save_small(tmp_path)), rows_in(tmp_path))
    assert all(metric["signature"] for metric in found.metrics.values())
    direct = CHRF()
    direct.corpus_score(["가"], [["가"]])
    assert found.metrics["chrf"]["signature"].startswith(direct.get_signature().format())


def test_unlike_signatures_are_not_compared(tmp_path: Path) -> None:
    one = evaluated(opened(save_small(tmp_path)), rows_in(tmp_path))
    other = copy.deepcopy(one)
    other.metrics["chrf"]["signature"] = other.metrics["chrf"]["signature"].replace("nc:6", "nc:4")
    with pytest.raises(ArtifactError, match="chrf: 'a' has signature"):
        compare([("a", one), ("b", other)], draws=100, seed=0)
