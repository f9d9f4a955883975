"""Drawing under a seed leaves the random state of the process as it was."""

import torch

from dadeum.generate.reply import seeded


def test_seeded_draws_the_same_and_leaves_no_trace() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    with seeded(1):
        first = torch.rand(3)
    after = torch.rand(3)
    with seeded(1):
        again = torch.rand(3)
    assert torch.equal(first, again)
    assert torch.equal(after, expected)
