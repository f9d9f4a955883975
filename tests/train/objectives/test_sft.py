"""Weights and sums of the negative log-likelihood."""

from pathlib import Path

import numpy as np
import torch

from dadeum.core.progress import Silent
from dadeum.data.samples import Entry
from dadeum.train.context import Context, Layout
from dadeum.train.objectives import OBJECTIVES
from dadeum.train.processes import Processes
from dadeum.train.step import prepare
from tests.train.support import make_job


def test_weights_are_weighed_as_targets() -> None:
    """A half-weighted token counts half, the first token of a sample never."""
    member = OBJECTIVES.member("sft")
    samples = [
        Entry(np.array([3, 4, 5], np.int32), np.array([1, 0.5, 1], np.float32), 0, 0),
        Entry(np.array([6, 7], np.int32), np.array([0, 1], np.float32), 1, 0),
    ]
    for packing in (True, False):
        batch = member.collate(member.Settings(), samples, Layout(packing, 0))
        assert member.weigh(member.Settings(), batch) == {"nll": (2.5, 1.0)}


def test_the_sum_is_the_weighted_loss(tmp_path: Path, formatted: Path) -> None:
    """Against the model's own loss where all weights are one."""
    loop = prepare(make_job(tmp_path, formatted), Silent(), Processes(), {})
    member = OBJECTIVES.member("sft")
    ids = np.arange(10, 30, dtype=np.int32)
    entry = Entry(ids, np.ones(20, np.float32), 0, 0)
    batch = member.collate(member.Settings(), [entry], Layout(True, 0))
    with torch.no_grad():
        sums, _ = member.compute(member.Settings(), loop.module, batch, Context())
        tokens = torch.tensor(ids.astype(np.int64))[None]
        expected = loop.module(input_ids=tokens, labels=tokens).loss * 19
    assert torch.allclose(sums["nll"], expected, rtol=1e-6)
