"""Test rows after a head spoke of them, drawn by a seed."""

import numpy as np

from dadeum.evaluate.metrics import Judged


def classes(count: int, names: tuple[str, ...] = ("a", "b", "c"), seed: int = 0) -> list[Judged]:
    """One class each, more often right than not."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        true = int(draw.integers(len(names)))
        said = draw.dirichlet(np.ones(len(names))) + 0.4 * np.eye(len(names))[true]
        found.append(Judged("class", names, np.array([true], float), said / said.sum()))
    return found


def several(count: int, size: int = 4, seed: int = 1) -> list[Judged]:
    """Any of some classes."""
    draw = np.random.default_rng(seed)
    names = tuple(f"l{i}" for i in range(size))
    found = []
    for _ in range(count):
        true = (draw.random(size) < 0.4).astype(float)
        found.append(Judged("classes", names, true, np.clip(draw.random(size) * 0.7 + 0.3 * true, 0, 1)))
    return found


def scores(count: int, size: int = 1, seed: int = 2) -> list[Judged]:
    """Numbers, with ties."""
    draw = np.random.default_rng(seed)
    true = np.round(draw.normal(size=(count, size)), 1)
    said = np.round(true + draw.normal(size=(count, size)), 1)
    return [Judged("numbers", (), t, s) for t, s in zip(true, said, strict=True)]


def words(count: int, names: tuple[str, ...], seed: int = 3) -> list[Judged]:
    """Labels of words, some rows without an entity."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        length = int(draw.integers(1, 12))
        true = draw.integers(len(names), size=length)
        said = np.where(draw.random(length) < 0.6, true, draw.integers(len(names), size=length))
        found.append(Judged("words", names, true.astype(float), np.eye(len(names))[said]))
    return found
