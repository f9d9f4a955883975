"""Counts of labels by part, of samples added some at a time."""

import math

import numpy as np

from dadeum.data.balance import Balance
from dadeum.data.labels import Head, Labels
from dadeum.data.samples import Block


def block(rows: list[list[float]], counts: list[int] | None = None) -> Block:
    flat = np.array([number for row in rows for number in row], np.float32)
    sizes = np.array(counts or [len(row) for row in rows], np.int32)
    none = np.zeros(0, np.int64)
    return Block(none.astype(np.int32), none.astype(np.float32), none.astype(np.int32), none, none, flat, sizes, sizes)


def test_heads_side_by_side() -> None:
    heads = (
        Head("a", "class", "x", ("n", "y"), 2),
        Head("b", "classes", "y", ("p", "q", "r"), 3),
        Head("c", "numbers", "z", None, 1),
    )
    balance, nan = Balance(Labels(heads)), math.nan
    balance.add("train", block([[0, 1, 0, 0, 2.0], [nan, nan, nan, nan, 4.0]]))
    balance.add("train", block([[0, 1, 1, 0, nan], [1, 0, 0, 0, 0.5]]))
    balance.add("test", block([[1, 0, 0, 1, nan]]))
    found = balance.facts()
    assert found["a"]["parts"] == {"train": {"n": 2, "y": 1}, "validation": {"n": 0, "y": 0}, "test": {"n": 0, "y": 1}}
    assert found["b"]["parts"]["train"] == {"p": 2, "q": 1, "r": 0}
    assert found["c"]["parts"]["train"] == {"rows": 3, "mean": round(6.5 / 3, 6), "least": 0.5, "most": 4.0}
    assert found["c"]["parts"]["test"] == {"rows": 0}
    (said,) = balance.unseen()
    assert said.startswith("head 'b': no training row is labelled r, so that it cannot learn")


def test_words_and_choices() -> None:
    words = Balance(Labels((Head("w", "words", "tags", ("O", "B"), 2),)))
    words.add("train", block([[-100, 0, 0, -100], [1, -100]]))
    assert words.facts()["w"]["parts"]["train"] == {"O": 2, "B": 1} and list(words.unseen()) == []
    choices = Balance(Labels((Head("c", "choice", "answer", None, 1, "0"),)))
    choices.add("train", block([[2], [0]], [1, 0, 0, 1, 0, 0]))
    choices.add("train", block([[3]], [1, 0, 0, 0]))
    assert choices.facts()["c"]["parts"]["train"] == {"0": 1, "1": 0, "2": 1, "3": 1} and list(choices.unseen()) == []
