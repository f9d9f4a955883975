"""Sums of NLL by document: independent of batches, of order, and of how a document is cut."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dadeum.data.render import Sample
from dadeum.generate import likelihood
from dadeum.generate.likelihood import losses
from tests.model.tiny import ROWS, longrope, tiny


def sample(length: int, seed: int) -> Sample:
    draw = np.random.RandomState(seed)
    weights = (draw.rand(length) < 0.6).astype(np.float32)
    return Sample(draw.randint(3, ROWS, length).astype(np.int32), weights, length)


def by_hand(model: torch.nn.Module, one: Sample) -> tuple[float, int]:
    with torch.no_grad():
        logs = model(torch.from_numpy(one.input_ids)[None].long()).logits[0].double().log_softmax(-1)
    places = [i for i in range(1, len(one.input_ids)) if one.weights[i] > 0]
    return -sum(float(logs[i - 1, int(one.input_ids[i])]) for i in places), len(places)


@pytest.mark.parametrize(
    ("shape", "changes"), [("llama", {}), ("gpt2", {}), ("gemma2", {}), ("phi3", longrope(20)), ("phi3", longrope(21))]
)
def test_documents_by_hand_for_any_batch(shape: str, changes: dict[str, Any]) -> None:
    model = tiny(shape, **changes)
    documents = [[sample(5, 1)], [sample(40, 2), sample(7, 3)], [sample(2, 4)], [sample(21, 5)]]
    expected = [[by_hand(model, one) for one in pieces] for pieces in documents]
    for size in (1, 2, 5):
        found = losses(model, documents, batch_size=size)
        assert [x.nll for x in found] == pytest.approx([sum(n for n, _ in e) for e in expected], rel=1e-6)
        assert [x.tokens for x in found] == [sum(t for _, t in e) for e in expected]
        assert [x.bytes for x in found] == [5, 47, 2, 21]


def test_long_rows_share_a_batch_with_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    sound = likelihood.collate

    def collate(samples, **more):  # type: ignore[no-untyped-def]
        sizes.append(len(samples))
        return sound(samples, **more)

    monkeypatch.setattr(likelihood, "collate", collate)
    monkeypatch.setattr(likelihood, "LOGITS", 60 * ROWS)
    documents = [[sample(length, length)] for length in (100, 30, 30, 10, 10, 10, 10, 10)]
    losses(tiny("llama"), documents, batch_size=4)
    assert sizes == [1, 2, 4, 1]


def test_nothing_asked_nothing_found(tmp_path: Path) -> None:
    assert losses(tiny("llama"), [], batch_size=4) == []
