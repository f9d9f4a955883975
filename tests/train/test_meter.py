"""Peak memory counts what was really touched."""

import numpy as np

from dadeum.train.meter import peak_memory


def test_the_peak_grows_by_what_is_touched_and_does_not_fall() -> None:
    before = peak_memory()
    held = np.ones(before // 8 + 25_000_000 // 8)  # beyond any earlier peak of this process
    after = peak_memory()
    size = held.nbytes
    del held
    assert after >= size
    assert after > before
    assert peak_memory() >= after
