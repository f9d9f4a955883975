"""Runs of characters as numbers: what near duplicates and contamination are compared by.

Characters, not words: Korean words change their ends with every particle, and many write them together or apart. White
space therefore does not count, nor does case.
"""

import numpy as np
import numpy.typing as npt

from dadeum.data.keys import normalised

Grams = npt.NDArray[np.uint64]
FACTOR = np.uint64(0x9E3779B97F4A7C15)
# The finalizer of MurmurHash3.
MIXING = ((np.uint64(33), np.uint64(0xFF51AFD7ED558CCD)), (np.uint64(33), np.uint64(0xC4CEB9FE1A85EC53)))


def squeezed(text: str) -> str:
    """Text without white space and case."""
    return normalised(text).replace(" ", "")


def grams(text: str, n: int) -> Grams:
    """The different runs of `n` characters of a squeezed text, sorted; a shorter text is one run."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.uint64)
    if not len(codes):
        return codes
    # A short text is no run of n characters, whatever it holds.
    size, kind = (n, 0) if len(codes) >= n else (len(codes), len(codes))
    runs = len(codes) - size + 1
    found = np.full(runs, kind, np.uint64)
    for at in range(size):
        found = found * FACTOR + codes[at : at + runs]
    return np.unique(_mixed(found))


def whole(text: str) -> Grams:
    """A squeezed text as one number, which no run of it shares."""
    return grams(text, len(text) + 1)


def _mixed(values: Grams) -> Grams:
    for shift, factor in MIXING:
        values = (values ^ (values >> shift)) * factor
    return values ^ (values >> np.uint64(33))
