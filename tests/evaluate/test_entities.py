"""Entities as seqeval finds them, also where the scheme is broken."""

import itertools

from seqeval.metrics.sequence_labeling import get_entities

from dadeum.evaluate.entities import entities, marked


def test_every_row_of_four_labels() -> None:
    names = ("O", "B-A", "I-A", "E-A", "S-A", "I-B", "B-B")
    for row in itertools.product(names, repeat=4):
        assert entities(row) == set(get_entities(list(row))), row
    assert entities(["B-A-B", "I-A-B"]) == {("B", 0, 1)}


def test_schemes() -> None:
    assert marked(("O", "B-PER", "I-PER"))
    assert marked(("B-PER", "I-PER"))
    assert not marked(("NN", "VB", "O"))
    assert not marked(("O", "X-PER"))
    assert not marked(("O",))
