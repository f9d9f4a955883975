"""The order of rows."""

import numpy as np
import pytest
import torch

from dadeum.train.order import Order


def test_each_row_is_seen_once_an_epoch_and_epochs_differ() -> None:
    order = Order(22, 8, seed=1)
    epochs = [np.concatenate([order.of_step(3 * e + s) for s in range(3)]) for e in range(3)]
    for rows in epochs:
        assert sorted(rows) == list(range(22))
    assert not np.array_equal(epochs[0], epochs[1]) and not np.array_equal(epochs[1], epochs[2])
    assert [len(order.of_step(s)) for s in range(4)] == [8, 8, 6, 8]


def test_any_step_can_be_asked_first() -> None:
    """The position in the data is the step's number: nothing has to be replayed."""
    forward = Order(22, 8, seed=1)
    expected = [forward.of_step(s) for s in range(9)]
    for step in (7, 0, 5, 8):
        assert np.array_equal(Order(22, 8, seed=1).of_step(step), expected[step])


def test_seeds_differ_and_may_be_negative() -> None:
    assert not np.array_equal(Order(22, 22, 1).of_step(0), Order(22, 22, 2).of_step(0))
    assert sorted(Order(22, 22, -5).of_step(0)) == list(range(22))


def test_the_draw_is_the_same_for_ever() -> None:
    """Written down once: another order would be another run."""
    assert Order(8, 8, 42).of_step(0).tolist() == [3, 1, 5, 7, 4, 0, 6, 2]


@pytest.mark.parametrize("world_size", [2, 3])
def test_ranks_share_a_step(world_size: int) -> None:
    order = Order(22, 8, seed=1)
    shares = [order.of_step(2)[rank::world_size] for rank in range(world_size)]
    assert sorted(np.concatenate(shares)) == sorted(order.of_step(2))


def test_no_random_state_is_consumed() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]
    Order(22, 8, seed=1).of_step(5)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # type: ignore[index]
