"""What objectives are told beside their batch: the means of the whole step, whatever it is cut into."""

import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dadeum.core.progress import Silent
from dadeum.train.objectives import OBJECTIVES
from dadeum.train.processes import Processes
from dadeum.train.step import prepare
from tests.train.support import make_job

SFT = OBJECTIVES.member("sft")


class Facts:
    """A number of each row."""

    def tensors(self, rows: np.ndarray, source: Any) -> dict[str, torch.Tensor]:
        return {"row": torch.tensor([float(source.source_rows[int(i)]) for i in rows])}


def watching() -> Any:
    """`sft`, which also looks at its rows before each step and shows what it saw."""

    def survey(settings: Any, model: Any, batch: dict[str, Any], context: Any) -> dict[str, tuple[float, float]]:
        return {"row": (float(batch["row"].sum()), float(len(batch["row"])))}

    def compute(settings: Any, model: Any, batch: dict[str, Any], context: Any) -> Any:
        sums, _ = SFT.compute(settings, model, batch, context)
        rows = batch["row"]
        return sums, {"mean": torch.stack([rows.sum(), torch.tensor(float(len(rows)))])}

    return types.SimpleNamespace(
        collate=SFT.collate, weigh=SFT.weigh, compute=compute, survey=survey, prepare=lambda settings, loop: Facts()
    )


@pytest.mark.parametrize("size", [1, 3, 8])
def test_means_are_those_of_the_whole_step(
    tmp_path: Path, formatted: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OBJECTIVES, "of", lambda settings: watching())
    job = make_job(tmp_path, formatted, total_train_batch_size=8, per_device_train_batch_size=size)
    loop = prepare(job, Silent(), Processes(), {})
    rows = loop.order.of_step(0)
    report = loop._optimizer_step()
    expected = float(np.mean([loop.samples.source_rows[int(i)] for i in rows]))
    assert loop.context.facts == {"row": pytest.approx(expected)}
    assert report.metrics == {"mean": pytest.approx(expected)}
