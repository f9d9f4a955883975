"""Packed and padded layouts, by hand and by property."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dadeum.data.batch import collate


def sample(ids: list[int], weights: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(ids, np.int32), np.array(weights, np.float32)


def test_packed_by_hand() -> None:
    batch = collate([sample([5, 6, 7], [1, 0, 1]), sample([8, 9], [1, 0.5])], packing=True, pad_id=0)
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8, 9]] and batch["input_ids"].dtype == torch.int64
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["cu_seqlens"].tolist() == [0, 3, 5] and batch["cu_seqlens"].dtype == torch.int32
    assert batch["weights"].tolist() == [[0, 0, 1, 0, 0.5]] and batch["weights"].dtype == torch.float32


def test_padded_by_hand() -> None:
    batch = collate([sample([5, 6, 7], [1, 0, 1]), sample([8, 9], [1, 0.5])], packing=False, pad_id=3)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 9, 3]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch["weights"].tolist() == [[0, 0, 1], [0, 0.5, 0]]


def test_the_samples_are_not_changed() -> None:
    ids, weights = sample([5, 6], [1, 1])
    collate([(ids, weights)], packing=True, pad_id=0)
    assert weights.tolist() == [1, 1] and ids.tolist() == [5, 6]


documents = st.lists(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=9),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(documents)
def test_both_layouts_train_the_same_tokens(rows: list[list[tuple[int, float]]]) -> None:
    samples = [sample([i for i, _ in row], [w for _, w in row]) for row in rows]
    packed, padded = (collate(samples, packing=p, pad_id=0) for p in (True, False))
    for batch in (packed, padded):
        assert batch["input_ids"][batch["weights"] > 0].tolist() == [i for row in rows for i, w in row[1:] if w > 0]
    assert packed["input_ids"].shape == (1, sum(map(len, rows)))
    assert int(padded["attention_mask"].sum()) == sum(map(len, rows))


@pytest.mark.parametrize("bad", [[], [sample([], [])], [sample([1, 2], [1])]])
def test_impossible_samples_are_a_fault_of_ours(bad: list[tuple[np.ndarray, np.ndarray]]) -> None:
    with pytest.raises(ValueError, match="sample"):
        collate(bad, packing=True, pad_id=0)
