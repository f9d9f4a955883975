"""Which rows a step sees: a permutation of each epoch, known from the seed alone.

The position in the data is the step's number, so a checkpoint needs no more than that; no random state is consumed.
"""

import numpy as np
from numpy.typing import NDArray


class Order:
    """The rows of every step over all processes; `total` rows a step, the last of an epoch may have fewer."""

    def __init__(self, rows: int, total: int, seed: int) -> None:
        self.rows = rows
        self.total = total
        self.seed = seed % 2**64
        self.steps_per_epoch = -(-rows // total)
        self._epoch = -1
        self._permutation: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def of_step(self, step: int) -> NDArray[np.int64]:
        """Row numbers of the step with that number, counted from 0."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            # numpy promises that RandomState never changes its draws; Generator may.
            draw = np.random.RandomState(np.random.MT19937(np.random.SeedSequence((self.seed, epoch))))
            self._permutation, self._epoch = draw.permutation(self.rows).astype(np.int64), epoch
        return self._permutation[place * self.total : (place + 1) * self.total]

    def of_rank(self, step: int, rank: int, world_size: int) -> NDArray[np.int64]:
        """The interleaved share of one process."""
        return self.of_step(step)[rank::world_size]
