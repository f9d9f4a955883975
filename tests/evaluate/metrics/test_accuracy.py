"""Accuracy against scikit-learn, of every kind of labels."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from dadeum.evaluate.metrics import Judged, accuracy
from dadeum.evaluate.statistics import total
from tests.evaluate.labels import classes, several, words


def value(samples: list[Judged]) -> float:
    rows = accuracy.score(accuracy.Settings(), samples)["accuracy"].rows
    return total(accuracy, [row for row in rows if row is not None])


def test_classes_several_and_words() -> None:
    one = classes(60)
    expected = accuracy_score([j.truth[0] for j in one], [j.said.argmax() for j in one])
    assert value(one) == pytest.approx(expected) and 0.4 < expected < 1
    many = several(60)
    subset = accuracy_score(np.stack([j.truth for j in many]), np.stack([j.said > 0.5 for j in many]).astype(float))
    assert value(many) == pytest.approx(subset) and 0 < subset < 1
    tagged = words(40, ("O", "B-A", "I-A"))
    by_word = accuracy_score(
        np.concatenate([j.truth for j in tagged]), np.concatenate([j.said.argmax(1) for j in tagged])
    )
    assert value(tagged) == pytest.approx(by_word)


def test_a_row_without_a_label_does_not_count() -> None:
    none = Judged("class", ("a", "b"), np.array([np.nan]), np.array([0.9, 0.1]))
    right = Judged("choice", (), np.array([2.0]), np.array([0.1, 0.2, 0.7]))
    assert accuracy.score(accuracy.Settings(), [none])["accuracy"].rows == (None,)
    assert accuracy.score(accuracy.Settings(), [right])["accuracy"].rows == ((1.0, 1.0),)
