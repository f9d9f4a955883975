"""Pretraining counts every token of the text but the first."""

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


def test_the_loss_is_that_of_the_model_over_the_whole_text(tmp_path: Path, formatted: Path) -> None:
    loop = prepare(make_job(tmp_path, formatted), Silent(), Processes(), {})
    member = OBJECTIVES.member("pretrain")
    settings = OBJECTIVES.validate("pretrain")
    texts = [np.arange(10, 30, dtype=np.int32), np.arange(40, 47, dtype=np.int32)]
    batch = member.collate(
        settings, [Entry(ids, np.ones(len(ids), np.float32), 0, 0) for ids in texts], Layout(True, 0)
    )
    assert member.weigh(settings, batch) == {"nll": (19.0 + 6.0, 1.0)}
    with torch.no_grad():
        sums, _ = member.compute(settings, loop.module, batch, Context())
        expected = 0.0
        for ids in texts:
            tokens = torch.tensor(ids.astype(np.int64))[None]
            expected += float(loop.module(input_ids=tokens, labels=tokens).loss) * (len(ids) - 1)
    assert abs(float(sums["nll"]) - expected) < 1e-4 * expected
